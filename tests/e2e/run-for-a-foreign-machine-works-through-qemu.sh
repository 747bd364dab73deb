. "$(dirname "$0")/common.sh"
need qemu-aarch64-static qemu-user-static; need clang clang; need ld.lld lld; need unshare util-linux
[ "$(uname -m)" != aarch64 ] || skip "this machine is no foreign one"
cat >"$t/sh.c" <<'C'
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
static long length(const char* text) { long n = 0; while (text[n]) ++n; return n; }
void _start(void) {  // writes the machine's name to /machine and to the log
  static char names[6][65];
  call(160, (long)names, 0, 0, 0);
  long file = call(56, -100, (long)"/machine", 0101, 0644);
  call(64, file, (long)names[4], length(names[4]), 0);
  call(64, 1, (long)names[4], length(names[4]), 0);
  call(93, file < 0, 0, 0, 0);
}
C
clang --target=aarch64-linux-gnu -O1 -ffreestanding -fno-stack-protector -fno-builtin -nostdlib -static -fuse-ld=lld -o "$t/context/sh" "$t/sh.c"
printf 'FROM scratch\nCOPY sh /bin/sh\nRUN anything\nENTRYPOINT ["/bin/sh"]\n' | dockerfile
cat >"$t/inside" <<'I'
set -eu  # binfmt_misc of this user namespace alone (Linux 6.7); F: opened now, so that the image needs no qemu
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77
printf ':qemu-aarch64:M::\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:%s:F' "$(command -v qemu-aarch64-static)" >/proc/sys/fs/binfmt_misc/register
"$CBUILD" --root "$t/store" --platform linux/arm64 -t app --network none --progress plain "$t/context"
"$CBUILD" --root "$t/store" doctor || true
I
export t CBUILD; status=0
unshare -rm sh "$t/inside" >"$t/said" 2>&1 || status=$?
[ "$status" != 77 ] || skip "no binfmt_misc in a user namespace here"
[ "$status" = 0 ] && says 'aarch64'; says 'other platforms: aarch64'
[ "$(cbuild inspect -f '{{.Architecture}}' app)" = arm64 ]
unpacked app:latest out && [ "$(cat "$t/out/rootfs/machine")" = aarch64 ]
