#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
need strace strace
busybox_base
mkdir "$t/context/d"
for i in $(seq 300); do echo "$i" >"$t/context/d/file-$i"; done
dockerfile <<'D'
FROM busybox
RUN --mount=type=bind,source=d,target=/d ls /d >/seen
D
sleep 0.1  # no file is as young as the clock's tick any more
reads() {  # files of the context that a build opens to read
  strace -f -e trace=open,openat,openat2 -o "$t/trace" "$CBUILD" --root "$t/store" build -t app --network none "$t/context" 2>"$t/said"
  grep -c '"d/file-.*O_RDONLY' "$t/trace" || true
}
[ "$(reads)" = 300 ]
[ "$(reads)" = 0 ]
for i in $(seq 10); do echo changed >>"$t/context/d/file-$i"; done
sleep 0.1
[ "$(reads)" = 10 ]
[ "$(reads)" = 0 ]
touch "$t/context/d/file-1"  # another time: it may have changed
sleep 0.1
[ "$(reads)" = 1 ]
says ': 0 steps run'
