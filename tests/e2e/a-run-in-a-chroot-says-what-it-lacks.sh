# What cannot be had without namespaces is refused, or told, and never left out.
. "$(dirname "$0")/common.sh"
real_root || skip "needs the machine's own root"
busybox_base
export CBUILD_ISOLATION=chroot
dockerfile() { printf 'FROM busybox\nRUN %s\n' "$1" >"$t/Dockerfile"; }

dockerfile 'test -c /dev/null && test ! -e /proc/self'
exits 0 cbuild build --no-cache --network host --shm-size 1m -f "$t/Dockerfile" "$t/context"
says "isolation: chroot only"
says "--shm-size: the size of /dev/shm is not limited here"
dockerfile '--mount=type=tmpfs,target=/t,size=1m true'
exits 0 cbuild build --network host -f "$t/Dockerfile" "$t/context"
says "mount /t: its size is not limited here"

echo hidden >"$t/secret"
dockerfile '--mount=type=secret,id=s true'
exits 7 cbuild build --network host --secret id=s,src="$t/secret" -f "$t/Dockerfile" "$t/context"
says "env=NAME"
dockerfile 'true'
exits 7 cbuild build --no-cache --network none -f "$t/Dockerfile" "$t/context"
