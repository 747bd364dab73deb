. "$(dirname "$0")/common.sh"
need_root
busybox_base
mkdir -p "$t/context/d/set" "$t/context/d/sticky"; cp /bin/busybox "$t/context/d/f"; chmod 4755 "$t/context/d/f"; chmod 2755 "$t/context/d/set"; chmod 1777 "$t/context/d/sticky"
tar -C "$t/context" --owner=3 --group=4 -cf "$t/context/t.tar" d
dockerfile <<'D'
FROM busybox AS one
COPY d /copied
COPY --chown=5:6 d /given
ADD t.tar /added
ADD --chown=5:6 t.tar /added-given
RUN cp -a /copied /run && chown -R 7:8 /run && chmod 4755 /run/f && chmod 2755 /run/set
FROM busybox AS base
COPY --from=one /copied /given /added/d /one/
COPY --from=one /run /from
COPY --from=one --chown=9:9 /added-given /from-given
COPY --from=one --link /given /linked
FROM base
ARG AGAIN
RUN for d in /from /from-given/d /linked /one; do stat -c '%a %n' $d/f $d/set $d/sticky; done >/saw
D
want=$(for d in from from-given/d linked one; do printf '4755 /%s/f\n2755 /%s/set\n1777 /%s/sticky\n' $d $d $d; done)
for rung in root userns; do
  rm -rf "$t/store"; export CBUILD_ISOLATION=$rung; busybox_base
  for again in 1 2; do  # built, and on a base from the cache
    cbuild -t app --network none --build-arg AGAIN=$again "$t/context"
    rm -rf "$t/bundle"; unpacked app:latest bundle
    [ "$(cat "$t/bundle/rootfs/saw")" = "$want" ] && [ "$(cd "$t/bundle/rootfs" && for d in from from-given/d linked one; do stat -c '%a /%n' $d/f $d/set $d/sticky; done)" = "$want" ]
  done
done
