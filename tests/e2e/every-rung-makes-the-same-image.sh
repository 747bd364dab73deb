. "$(dirname "$0")/common.sh"
need_root
need python3
export SOURCE_DATE_EPOCH=1700000000
python3 - "$t/context/files.tar" <<'P'
import io, struct, sys, tarfile
tar = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def add(name, type=tarfile.REGTYPE, mode=0o644, uid=0, gid=0, link="", dev=(0, 0), pax={}):
    m = tarfile.TarInfo(name)
    m.type, m.mode, m.uid, m.gid, m.linkname, (m.devmajor, m.devminor), m.pax_headers, m.mtime = type, mode, uid, gid, link, dev, pax, 1600000000
    tar.addfile(m, io.BytesIO(b""))
add("d", tarfile.DIRTYPE, 0o1755, 1000, 1000)
for name, uid in ("near", 33), ("far", 3000000): add("d/" + name, mode=0o4755, uid=uid, gid=uid)
add("d/null", tarfile.CHRTYPE, 0o666, dev=(1, 3)); add("d/disk", tarfile.BLKTYPE, 0o660, gid=6, dev=(8, 0))
add("d/fifo", tarfile.FIFOTYPE, uid=5); add("d/link", tarfile.SYMTYPE, 0o777, 7, 7, "near"); add("d/hard", tarfile.LNKTYPE, link="d/near")
# A capability of one user namespace: revision 3, root uid 5.
add("d/cap", mode=0o755, pax={"SCHILY.xattr.security.capability": struct.pack("<6I", 0x03000001, 0x2000, 0, 0, 0, 5).decode("latin1")})
P
ln -s files.tar "$t/context/link"
dockerfile <<'D'
FROM busybox AS build
ADD files.tar /out
COPY --chown=70000:7 --chmod=4711 Dockerfile link /out/c/
RUN cd /out/d && chmod 600 near && mv far moved && rm disk && mkdir new && mkfifo p && chmod 1775 . && find /out -exec touch -h -d @1600000000 {} +
FROM scratch
COPY --from=build /out /out
ADD files.tar /
D
try() { rm -rf "$t/store"; "$@"; }
one() { busybox_base host; cbuild -t app --network host "$t/context"; image_id app >"$t/$1"; cbuild save -o "$t/$1.tar" app; }
try one root
rungs="root:copy userns userns:copy chroot"
export CBUILD_ISOLATION; for CBUILD_ISOLATION in $rungs; do try one "$CBUILD_ISOLATION"; done; unset CBUILD_ISOLATION
export -f cbuild need busybox_base image_id one; export CBUILD t
try unshare -r bash -ec 'one single; rm -rf $t/store; CBUILD_ISOLATION=auto:copy one single:copy'
# A store where the kernel refuses overlayfs: on an overlayfs, as in a container.
mkdir "$t/lower" "$t/upper" "$t/work"; rm -rf "$t/store"
unshare -m bash -ec 'mkdir $t/store; mount -t overlay -o lowerdir=$t/lower,upperdir=$t/upper,workdir=$t/work none $t/store; one over
  rm -rf $t/store/*; CBUILD_ISOLATION=userns:copy one over-copy'
for rung in $rungs single single:copy over over-copy; do cmp "$t/root" "$t/$rung"; done
found=""  # and it is no image without capabilities
for blob in $(tar -tf "$t/root.tar" | grep 'blobs/sha256/.'); do
  ! tar -xOf "$t/root.tar" "$blob" | zcat 2>/dev/null | grep -aq security.capability || found=1
done
[ -n "$found" ]
