#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
need strace strace
mkdir "$t/context/d"
for i in $(seq 300); do echo "$i" >"$t/context/d/file-$i"; done
printf '%s\n' 'FROM scratch' 'COPY d /d' >"$t/context/Dockerfile"
sleep 0.1  # no file is as young as the clock's tick any more
reads() {  # files that a build opens to read, wherever they are
  strace -f -e trace=open,openat,openat2 -o "$t/trace" "$CBUILD" --root "$t/store" build -q --no-cache -t app "$t/context" >/dev/null
  grep -c 'file-[0-9]*", [^)]*O_RDONLY' "$t/trace" || true
}
[ "$(reads)" = 900 ]  # for the key, while it is copied, and for the tarball
[ "$(reads)" = 600 ]  # the key comes from the stat table
# What the layer says of them is what is in it.
cbuild verify
