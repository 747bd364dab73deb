. "$(dirname "$0")/common.sh"
# Landlock and the seccomp filter of RUNs by chroot hinder nothing honest: setuid programs too, where cbuild
# was not started without them.
real_root || skip "needs the machine's own root"
need cc gcc; need setpriv util-linux
cc -static -O1 -o "$t/context/confined" "$here/../support/confined.c" 2>"$t/said" || skip "no static C library: $(head -n 1 "$t/said")"
printf 'FROM scratch\nCOPY --chmod=4755 confined /\nRUN ["/confined", "queues"]\n' | dockerfile
mkdir "$t/dev"; export t
with_queues='mount -t tmpfs none $t/dev; cp -a /dev/null $t/dev; mkdir $t/dev/mqueue; mount -t mqueue none $t/dev/mqueue; mount --rbind $t/dev /dev'
export CBUILD_ISOLATION=chroot
build() { exits "$1" "${@:2}" "$CBUILD" --root "$t/store" --no-cache --network host "$t/context"; }
build 0 unshare -m sh -ec "$with_queues"'; exec "$@"' -
says "Landlock and seccomp keep RUN from other processes"
sed -i 's/"queues"/"-"/' "$t/context/Dockerfile"
# A container's root without CAP_SYS_ADMIN cannot confine itself.
bounds=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap
build 0 setpriv --bounding-set=$bounds
says "nothing keeps RUN from signalling other processes (no Landlock: it takes CAP_SYS_ADMIN or no_new_privs)"
# But where it was started with no_new_privs, which takes the setuid programs.
build 3 setpriv --bounding-set=$bounds --no-new-privs
says "Landlock and seccomp keep RUN from other processes"
says "BROKEN: a setuid program"
[ "$(grep -c BROKEN: "$t/said")" = 1 ]
