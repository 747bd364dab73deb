. "$(dirname "$0")/common.sh"
need_root
busybox_base
head -c 20000000 /dev/urandom >"$t/context/data"
head -c 9000000 /dev/zero >"$t/context/zeros"
truncate -s 60000000 "$t/context/hole" && printf end >>"$t/context/hole"
dockerfile <<'D'
FROM busybox AS made
COPY data hole zeros /
RUN cp -p /data /copy
FROM scratch
COPY --from=made /data /hole /zeros /copy /
D
build() { cbuild --network none -t "$@" "$t/context" >"$t/said" 2>&1; }
same_as_context() {  # NAME:TAG DIR
  unpacked "$1" "$2"
  for f in data hole zeros; do cmp "$t/context/$f" "$t/$2/rootfs/$f"; done
  cmp "$t/context/data" "$t/$2/rootfs/copy"
}
build app:1
same_as_context app:1 first
# One byte in the middle counts; how many work at it does not.
printf x | dd of="$t/context/data" bs=1 seek=9999999 conv=notrunc status=none
build app:2
same_as_context app:2 second
build app:3 --no-cache --jobs 1
layers() { cbuild inspect -f '{{.RootFS.Layers}}' "$1"; }
[ "$(layers app:2)" = "$(layers app:3)" ]
[ "$(layers app:1)" != "$(layers app:2)" ]
cbuild verify
