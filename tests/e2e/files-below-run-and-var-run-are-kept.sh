. "$(dirname "$0")/common.sh"
need_root
busybox_base
echo c >"$t/context/c"
for run in 'ln -s /run /var/run' 'mkdir /var/run'; do
  dockerfile <<D
FROM busybox
RUN mkdir -p /run /var && $run
COPY c /var/run/app/copied
COPY c /run/plain
RUN mkdir -p /var/run/lock && echo r >/var/run/lock/made && echo r >/run/made && mkdir -p /var/lib/x && echo v >/var/lib/x/made
RUN cat /run/made /run/plain /var/run/lock/made /var/run/app/copied /var/lib/x/made
D
  cbuild -t app --network none "$t/context"
  rm -rf "$t/bundle"; unpacked app:latest bundle
  chroot "$t/bundle/rootfs" /bin/cat /run/made /run/plain /var/run/lock/made /var/run/app/copied /var/lib/x/made >"$t/said"
  [ "$(paste -sd ' ' "$t/said")" = "r c r c v" ]
done
