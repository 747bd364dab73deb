. "$(dirname "$0")/common.sh"
# With the host's network /sys is the host's, with its control groups in it.
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  real_root || skip "no control groups of version 2 at /sys/fs/cgroup, and no root to mount them"
  unshare -m bash -ec 'mount -t cgroup2 none /sys/fs/cgroup; bash "$0"' "$0" || exit $?
  exit 0
fi
real_root && export CBUILD_ISOLATION=userns
busybox_base host
dockerfile <<'D'
FROM busybox
RUN [ -e /sys/fs/cgroup/cgroup.procs ] && ! mkdir /sys/fs/cgroup/new
D
cbuild --network host "$t/context"
