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

# The root of a user namespace makes no devices: no RUN, where it may not mount either.
need /usr/bin/python3 python3
printf 'FROM scratch\nCOPY busybox /\nRUN ["/busybox", "true"]\n' >"$t/busybox/Dockerfile"
exits 7 unshare -r env CBUILD_ISOLATION=auto /usr/bin/python3 "$here/../support/refuse.py" 272,165,308,430,428,435 \
  "$CBUILD" --root "$t/store2" --network host "$t/busybox"
says "nor chroot without devices, which no user namespace can make: no RUN is possible"
# The machine's root that may not mount, as in a container with CAP_SYS_ADMIN and docker's AppArmor profile.
unmounted() { CBUILD_ISOLATION=$2 exits "$1" /usr/bin/python3 "$here/../support/refuse.py" 165,428,430 "$CBUILD" --root "$t/store3" --network host "$t/busybox"; }
unmounted 0 auto
says "isolation: chroot only, as no namespace is allowed here (mount: Operation not permitted)"
unmounted 7 root
