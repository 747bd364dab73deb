. "$(dirname "$0")/common.sh"
# No namespaces, but no_new_privs: RUN by chroot, kept in by Landlock, seccomp and the container's device group.
real_root || skip "needs the machine's own root"; need /bin/busybox busybox-static; need python3 python3; need setpriv util-linux; need cc gcc
cc -static -O1 -o "$t/context/escape" "$here/../support/escape.c" 2>"$t/said" || skip "no static C library: $(head -n 1 "$t/said")"
cat >"$t/context/inside" <<'S'
busybox sleep 600 & root=$!
busybox setuidgid 65534:65534 busybox sleep 600 & other=$!
printf 'FROM scratch\nCOPY escape /\nRUN ["/escape", "-", "%s", "%s", "%s"]\n' "$(cat "$1/devices")" $root $other >"$2/Dockerfile"
cbuild --root "$2/store" --no-cache --network host -f "$2/Dockerfile" "$1"; echo "status $?"
cbuild --root "$2/store" doctor
kill $root $other
S
. "$here/../support/ordinary_container.sh"
echo - >"$t/context/devices"; [ $engine != docker ] || echo devices >"$t/context/devices"
contained 0 --security-opt no-new-privileges >"$t/said" 2>&1 || true
says "status 0"
says "Landlock and seccomp keep RUN from other processes"
[ $engine = docker ] || exit 0
says "RUN uses this container's network; --network=none is refused"; says "a RUN has an empty /proc"
says "yes  device-control   RUN opens this container's devices only"
# Without no_new_privs it may not confine itself: that is said, with what would allow it, and the test tells.
contained 0 >"$t/said" 2>&1 || true
says "status 3"; says "ESCAPED: kill"
says "nothing keeps RUN from signalling other processes (no Landlock: it takes CAP_SYS_ADMIN or no_new_privs)"
says "to allow: docker run --security-opt no-new-privileges"
not grep -E "ESCAPED: .*(device|directory|namespace|mount|key|chroot|unshare|fsopen)" "$t/said"
