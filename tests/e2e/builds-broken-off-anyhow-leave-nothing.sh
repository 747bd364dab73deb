# INTERRUPT_ROUNDS builds, each ended by a random signal at a random moment.
. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox AS a
RUN --mount=type=cache,target=/c head -c 2000000 /dev/urandom >/a; (sleep 4321 &) ; trap '' TERM INT; sleep 0.1
FROM busybox
RUN setsid sleep 4321 </dev/null >/dev/null 2>&1 & head -c 2000000 /dev/urandom >/b; sleep 0.1
COPY --from=a /a /a
D
left() {  # processes, mounts, control groups of dead ones, network devices
  pgrep -fc "$t/store|sleep 432[1]" || true
  grep -c "$t" /proc/self/mountinfo || true
  find /sys/fs/cgroup -type d -name 'cbuild.*' 2>/dev/null | sed 's/.*cbuild//' |
    while IFS=. read -r _ _ pid _; do [ -e "/proc/$pid" ] || echo "$pid"; done | wc -l
  ip -o link | grep -c ': cb' || true
}
left >"$t/before"
for round in $(seq "${INTERRUPT_ROUNDS:-10}"); do
  "$CBUILD" --root "$t/store" build --no-cache -t app "$t/context" >/dev/null 2>&1 &
  sleep 0.$((RANDOM % 5))$((RANDOM % 10))
  case $((RANDOM % 3)) in 0) s=INT ;; 1) s=TERM ;; *) s=KILL ;; esac
  kill -$s $! 2>/dev/null || true  # it may be done already
  wait $! 2>/dev/null || true
done
printf 'FROM busybox\nRUN true\n' >"$t/context/Dockerfile"
cbuild -t app "$t/context"
[ -z "$(ls "$t/store/tmp")" ]
for _ in $(seq 100); do  # the kernel takes its time with network devices
  left >"$t/after"
  ! cmp -s "$t/before" "$t/after" || exit 0
  sleep 0.1
done
diff "$t/before" "$t/after"
