. "$(dirname "$0")/common.sh"
need /usr/bin/python3 python3
mkdir "$t/store"
status=0
cbuild doctor --format json >"$t/json" 2>/dev/null || status=$?
python3 - "$t/json" "$status" <<'P'
import json, sys
doctor, status = json.load(open(sys.argv[1])), int(sys.argv[2])
assert doctor["version"] == 1 and doctor["isolation"] in ("root", "userns", "none")
assert status == (0 if doctor["canRun"] else 7), status
names = [f["name"] for f in doctor["findings"]]
for name in "root user-namespace subordinate-ids mount proc overlay mknod setxattr cgroups binfmt".split():
    assert name in names, name
P
[ -z "$(ls "$t/store")" ]  # nothing is left of the probes
# A seccomp filter that refuses unshare and mount, as containers have it, and no root.
[ "$(id -u)" = 0 ] || exit 0
need setpriv
chmod 711 "$t"; cp "$CBUILD" "$t/cbuild"; mkdir -m 1777 "$t/free"
exits 7 setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all /usr/bin/python3 -c '
import ctypes, errno, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
refuse = [272, 165, 430, 435]  # unshare, mount, fsopen, clone3
code = [(0x20, 0, 0, 0)]
for number in refuse: code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | errno.EPERM)]
code += [(0x06, 0, 0, 0x7fff0000)]
program = b"".join(struct.pack("HBBI", *c) for c in code)
buffer = ctypes.create_string_buffer(program)
class Fprog(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
fprog = Fprog(len(code), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(fprog), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])' "$t/cbuild" --root "$t/free" doctor
says "no   user-namespace"
says "a seccomp filter is active"
says "seccomp=unconfined"
