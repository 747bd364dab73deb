#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
mkdir -p "$t/context/d/s"
echo a >"$t/context/a"
cp "$t/context/a" "$t/context/d/s/b"
tar -C "$t/context" --owner=7 --group=8 -cf "$t/context/t.tar" d/s/b
dockerfile <<'D'
FROM busybox
WORKDIR /work/dir
COPY a /made/on/the/way/
COPY --chown=5:6 a /owned/on/the/way
COPY --chmod=640 d /moded/on/the/way
COPY --link --chown=9 d /linked/on/the/way/
ADD t.tar /added/on/the/way
COPY <<E /here/on/the/way
text
E
USER 12:13
WORKDIR /user/dir
RUN --mount=type=tmpfs,target=/tmp/of/run true
D
find "$t/context" -type d -exec chmod 755 {} + -o -exec chmod 644 {} +
busybox_base
cbuild save -o "$t/base.tar" busybox
for mask in 0 022 077; do
  rm -rf "$t/store"
  umask $mask
  cbuild load -q -i "$t/base.tar"
  cbuild -t app --network none "$t/context" 2>/dev/null
  umask 022
  unpacked app:latest "mask$mask"
  (cd "$t/mask$mask/rootfs" && find . -printf '%p %m %U:%G %l\n' | sort >"$t/list$mask")
done
grep -x './moded/on/the/way/s/b 640 0:0 ' "$t/list0"
cmp "$t/list0" "$t/list022"
cmp "$t/list0" "$t/list077"
