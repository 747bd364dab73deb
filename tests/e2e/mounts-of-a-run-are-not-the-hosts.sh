. "$(dirname "$0")/common.sh"
need_root
# A host whose mounts are shared, as systemd makes them, whatever this one has.
if [ -z "${CBUILD_TEST_SHARED:-}" ]; then
  CBUILD_TEST_SHARED=1 unshare -m --propagation shared bash "$0" || exit $?
  exit 0
fi
busybox_base
mkdir "$t/context/in"
dockerfile <<'D'
FROM busybox
RUN --mount=type=bind,target=/context --security=insecure mount -t tmpfs none /context/in && touch /context/in/mounted
RUN --mount=type=bind,target=/context [ ! -e /context/in/mounted ]
D
for view in overlay copy; do
  cbuild --isolation root:$view --network none --allow security.insecure --no-cache "$t/context"
  not grep -q "$t/context" /proc/self/mountinfo
done
