. "$(dirname "$0")/common.sh"
need python3 python3
printf 'FROM scratch\nCOPY f /\n' | dockerfile
echo 1 >"$t/context/f"
cbuild build -q -t app "$t/context" >/dev/null
# As verify --repair does while it reads everything.
python3 - "$t/store/locks/sweep" "$t/locked" <<'P' &
import fcntl, sys, time
lock = open(sys.argv[1], "r+")
fcntl.lockf(lock, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
time.sleep(1000)
P
keeper=$!
ended="$ended $keeper"
while [ ! -e "$t/locked" ]; do sleep 0.05; done
cbuild build -t app "$t/context" >"$t/said" 2>&1 &
build=$!
for _ in $(seq 400); do
  grep -q 'waiting for another process that repairs or prunes' "$t/said" && break
  sleep 0.05
done
says 'waiting for another process that repairs or prunes'
kill $keeper
wait $build
says 'built in'
# Nothing is wrong: a repair needs nothing for itself.
cbuild verify --repair | grep sound
