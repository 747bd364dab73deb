. "$(dirname "$0")/common.sh"
need_root
busybox_base
cbuild save -o "$t/base.tar" busybox
mkdir "$t/small"
mount -t tmpfs -o size=12m tmpfs "$t/small" 2>/dev/null || skip "cannot mount a tmpfs"
trap 'umount -l "$t/small"; at_exit' EXIT
small() { "$CBUILD" --root "$t/small/store" "$@"; }
small load -i "$t/base.tar"
dockerfile <<'D'
FROM busybox
RUN head -c 30000000 /dev/urandom >/big
D
status=0
small build -t app --network none "$t/context" >"$t/said" 2>&1 || status=$?
cat "$t/said"
# The command itself meets the full disk: its failure is a RUN's (3).
[ $status = 3 ] || [ $status = 6 ]
head -c 30000000 /dev/urandom >"$t/context/big"
printf 'FROM busybox\nCOPY big /\n' | dockerfile
exits 6 small build -t app --network none "$t/context"
says 'disk is full'
printf 'FROM busybox\nRUN echo fits >/x\n' | dockerfile
small build -t app --network none "$t/context"
small history app | grep -q fits
