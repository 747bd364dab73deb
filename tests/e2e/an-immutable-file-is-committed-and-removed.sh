. "$(dirname "$0")/common.sh"
need_root
need cc gcc; need lsattr e2fsprogs
busybox_base
cat >"$t/fix.c" <<'C'
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
int main(int argc, char** argv) {  // NAME FLAGS
  int flags = 0, fd = open(argv[1], O_RDONLY);
  return argc != 3 || ioctl(fd, FS_IOC_GETFLAGS, &flags) || (flags |= atoi(argv[2]), ioctl(fd, FS_IOC_SETFLAGS, &flags));
}
C
cc -static -o "$t/context/fix" "$t/fix.c" 2>"$t/said" || skip "no static C library: $(head -n 1 "$t/said")"
dockerfile <<'D'
FROM busybox
COPY fix /bin/
RUN mkdir /d && echo z >/d/fixed && echo a >/appended
RUN --security=insecure --mount=type=cache,target=/cache mkdir -p /cache/d && touch /cache/d/f && fix /d/fixed 16 && fix /appended 32 && fix /d 16 && fix /cache/d/f 16 && fix /cache/d 32
RUN cat /d/fixed /appended && touch /next
D
exits 2 cbuild -t app --network none "$t/context"
cbuild --allow security.insecure -t app --network none "$t/context"
flagged() { lsattr -R "$1" 2>/dev/null | grep -qE '^[a-zA-Z-]*[ia][a-zA-Z-]* '; }
flagged "$t/store/cache-mounts" || skip "this file system keeps no such flags"
unpacked app:latest out; [ "$(cat "$t/out/rootfs/appended" "$t/out/rootfs/d/fixed")" = "$(printf 'a\nz')" ]
not flagged "$t/out"
cbuild rmi app && cbuild prune -f -a
[ -z "$(find "$t/store/layers" "$t/store/tmp" "$t/store/cache-mounts" -name 'f*')" ]
