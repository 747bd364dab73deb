. "$(dirname "$0")/common.sh"
need_root
mkdir "$t/small"
mount -t tmpfs -o size=8m tmpfs "$t/small" 2>/dev/null || skip "cannot mount a tmpfs"
trap 'umount -l "$t/small"; at_exit' EXIT
small() { "$CBUILD" --root "$t/small/store" "$@"; }
head -c 1000000 /dev/urandom >"$t/context/f"
printf 'FROM scratch\nCOPY f /\n' | dockerfile
small build -q -t app "$t/context" >/dev/null
sleep 0.5  # from here on sizes would be remembered
head -c 20000000 /dev/zero >"$t/small/rest" 2>/dev/null || true
small du | grep -q '^total'
small prune -f --all | grep -q 'Total reclaimed space: 1.*MB'
small images -q | grep -q .
