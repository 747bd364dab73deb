. "$(dirname "$0")/common.sh"
busybox_base
rungs=auto  # the first; as root the others of the ladder too
! real_root || rungs="auto userns:copy userns:fuse chroot"
dockerfile <<'D'
FROM busybox
RUN sleep 0.05; head -c 3000000 /dev/zero >/a
RUN sleep 0.05; head -c 3000000 /dev/zero >/b
COPY Dockerfile /c
RUN sleep 777 || true
D
left() {  # mounts, processes and network devices of ours
  grep -c "$t" /proc/self/mountinfo || true
  pgrep -fc 'sleep 77[7]' || true
  ip -o link | wc -l
}
left >"$t/before"
export CBUILD_ISOLATION
for CBUILD_ISOLATION in $rungs; do for delay in 0.01 0.03 0.06 0.1 0.15 0.2 0.3 0.5; do
  "$CBUILD" --root "$t/store" build --no-cache -t app "$t/context" 2>/dev/null &
  sleep $delay
  kill -9 $! || true  # it may be done already
  wait $! 2>/dev/null || true
done; done
sed -i '/sleep 777/d' "$t/context/Dockerfile"
cbuild -t app "$t/context"
sleep 0.3
left >"$t/after"
diff "$t/before" "$t/after"
[ -z "$(ls "$t/store/tmp")" ]
