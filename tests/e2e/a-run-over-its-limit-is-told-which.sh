. "$(dirname "$0")/common.sh"
need_root
grep -qE '^[0-9]+:([a-z_,]*,)?memory[,:]|^0::' /proc/self/cgroup || skip "no control groups"
busybox_base
dockerfile <<'D'
FROM busybox
RUN tail /dev/zero || exit 9
D
status=0
cbuild --network none -m 24m "$t/context" >"$t/said" 2>&1 || status=$?
[ "$status" != 7 ] || skip "$(tail -n 1 "$t/said")"
[ "$status" = 3 ]
says 'exit code: 9: cannot allocate memory: killed for lack of it, limit 24MiB, peak 2'

printf 'FROM busybox\nRUN b() { b | b & }; b 2>/dev/null; sleep 1; false\n' >"$t/context/Dockerfile"
exits 3 cbuild --network none --pids-limit 40 "$t/context"
says 'it wanted more processes than it may have (--pids-limit)'
exits 2 cbuild --network none --memory much "$t/context"
