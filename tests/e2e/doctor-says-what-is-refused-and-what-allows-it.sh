. "$(dirname "$0")/common.sh"
need /usr/bin/python3 python3
mkdir "$t/store"
status=0
cbuild doctor --format json >"$t/json" 2>/dev/null || status=$?
python3 - "$t/json" "$status" <<'P'
import json, sys
doctor, status = json.load(open(sys.argv[1])), int(sys.argv[2])
assert doctor["version"] == 1 and doctor["isolation"] in ("root", "userns", "chroot", "none")
assert status == (0 if doctor["canRun"] else 7), status
names = [f["name"] for f in doctor["findings"]]
for name in "root user-namespace subordinate-ids mount proc overlay fuse-overlayfs chroot landlock device-control mknod setxattr cgroups binfmt".split():
    assert name in names, name
P
[ -z "$(ls "$t/store")" ]  # nothing is left of the probes
# A seccomp filter that refuses unshare, mount, fsopen and clone3, as containers have it, and no root.
real_root || exit 0
need setpriv
chmod 711 "$t"; cp "$CBUILD" "$here/../support/refuse.py" "$t"; mkdir -m 1777 "$t/free"
exits 7 setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all /usr/bin/python3 "$t/refuse.py" \
  272,165,430,435 "$t/cbuild" --root "$t/free" doctor
says "no   user-namespace"
says "a seccomp filter is active"
says "seccomp=unconfined"
