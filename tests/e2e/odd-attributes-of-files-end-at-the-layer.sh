. "$(dirname "$0")/common.sh"
need_root
need python3 python3
busybox_base
# Attributes that no layer may carry: of security modules, of overlayfs, of nobody.
python3 - "$t/base.tar" <<'P'
import io, sys, tarfile
tar = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
m = tarfile.TarInfo("labelled"); m.mode, m.size = 0o755, 1
m.pax_headers = {"SCHILY.xattr." + n: "v" for n in ("security.selinux", "security.ima", "trusted.overlay.opaque", "user.overlay.redirect", "user.kept", "trusted.other")}
tar.addfile(m, io.BytesIO(b"x"))
P
cp "$t/base.tar" "$t/context/"
dockerfile <<'D'
FROM busybox
ADD base.tar /
RUN cp -p labelled copy && mv labelled moved && echo y >>moved
RUN mv moved there
D
both() {
  cbuild -t app --network none "$t/context"
  unpacked app:latest "$1"; [ "$(cat "$t/$1/rootfs/there")" = xy ]
  python3 - "$t/$1/rootfs" <<'P'
import os, sys
for dir, _, files in os.walk(sys.argv[1]):
    for name in files:
        for attribute in os.listxattr(os.path.join(dir, name), follow_symlinks=False):
            assert attribute in ("security.capability", "user.rootlesscontainers"), (name, attribute)
P
  rm -rf "$t/store"
}
both root
export CBUILD_ISOLATION=userns
busybox_base
both user
