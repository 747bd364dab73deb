. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
RUN echo 1 >/one
D
# A port that takes connections and never answers.
python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(600)' >"$t/port" &
ended="$ended $!"
for _ in $(seq 100); do [ -s "$t/port" ] && break; sleep 0.1; done
cache="type=registry,ref=127.0.0.1:$(cat "$t/port")/cache"
start=$(date +%s)
cbuild -t app --network none --cache-timeout 1s --cache-from "$cache" \
  --cache-to "$cache" "$t/context" 2>"$t/log"
[ $(($(date +%s) - start)) -lt 20 ]
grep -q 'warning: cache in registry .*going on without it' "$t/log"
