. "$(dirname "$0")/common.sh"
busybox_base
secret=$t/host-secret; echo out >"$secret"; chmod 600 "$secret"
cat >"$t/context/try" <<'S'
gets_out() { echo "ESCAPED: $*"; exit 1; }
mount -t tmpfs t /mnt 2>/dev/null && gets_out mount
unshare -m true 2>/dev/null && gets_out unshare
nsenter -t 1 -m true 2>/dev/null && gets_out setns
chroot /proc/1/root test -e "$SECRET" 2>/dev/null && gets_out chroot into process 1
for fd in /proc/*/fd/*; do case $(readlink "$fd") in "$STORE"*) gets_out "descriptor $fd";; esac; done
for file in sys/kernel/hostname sys/kernel/core_pattern sys/vm/drop_caches sysrq-trigger; do
  [ -e /proc/$file ] && (echo x >/proc/$file) 2>/dev/null && gets_out "write of /proc/$file"
done
[ -e /sys/kernel ] && (echo x >/sys/kernel/uevent_helper) 2>/dev/null && gets_out "write of /sys"
[ -s /proc/keys ] && gets_out keyrings
[ "$RUNG" = chroot ] ||  # devices are kept away there by a container's control group
for device in "b 8 0" "b 254 0" "c 1 1" "c 1 11" "c 10 229"; do
  for dir in / /dev /dev/shm /cache; do
    rm -f $dir/node; mknod $dir/node $device 2>/dev/null || continue
    (: <$dir/node) 2>/dev/null && gets_out "device $device in $dir"
    rm $dir/node
  done
done
kill -0 "$BUILDER" 2>/dev/null && [ "$BUILDER" != 1 ] && { [ ! -e /proc/self ] || grep -q cbuild /proc/$BUILDER/cmdline; } && gets_out "a signal to the builder"
[ ! -e "$SECRET" ] || gets_out "the host's files"
ln -sfn / /cache/root; true
S
run_on() {  # RUNG NETWORK
  dockerfile <<D
FROM busybox
RUN --mount=type=bind,source=try,target=/try --mount=type=cache,target=/cache,id=../../../../tmp RUNG=$1 SECRET=$secret STORE=$t BUILDER=$$ sh /try
RUN --mount=type=cache,target=/cache,id=../../../../tmp readlink /cache/root && [ "\$(ls /cache)" = root ]
RUN mkdir -p /made && ln -s / /made/link && ln -s $t /etc-link
D
  rm -f "$t/context/out"
  CBUILD_ISOLATION=$1 cbuild -t app --no-cache --network "$2" "$t/context" 2>"$t/said" || { cat "$t/said"; exit 1; }
  # Sources of mounts are taken below their root, links in them too (CVE-2024-1753).
  ln -s "$t" "$t/context/out"
  printf 'FROM busybox\nRUN --mount=type=bind,source=out,target=/in ls /in/host-secret\n' >"$t/context/Dockerfile"
  CBUILD_ISOLATION=$1 exits 2 cbuild -t app --network "$2" "$t/context"
  [ "$(cat "$secret")" = out ]
}
run_on auto none
! real_root || run_on userns none
! real_root || run_on chroot host
