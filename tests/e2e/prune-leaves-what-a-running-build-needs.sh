. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
RUN echo one >/one
RUN --mount=type=cache,target=/c touch /c/started && until [ -e /c/go ]; do sleep 0.1; done && cp /one /two
D
printf 'FROM busybox\nRUN head -c 3000000 /dev/urandom >/loose\n' >"$t/loose"
cbuild build -q --network none -f "$t/loose" "$t/context" >/dev/null
"$CBUILD" --root "$t/store" build -t app --network none "$t/context" >"$t/log" 2>&1 &
builder=$! ended="$ended $builder"
for _ in $(seq 200); do [ -e "$t"/store/cache-mounts/*/data/started ] && break; sleep 0.1; done
# The base loses its name, all that nothing needs goes, and the build goes on.
cbuild rmi busybox
cbuild prune -f -a
[ -z "$(find "$t/store/layers" -name loose)" ]
data=$(echo "$t"/store/cache-mounts/*/data) && touch "$data/go"
wait $builder || { cat "$t/log"; exit 1; }
cbuild verify
cbuild inspect -f '{{.Id}}' app
# Of a build that was killed nothing is held.
rm "$data"/* && printf 'FROM app\nRUN --mount=type=cache,target=/c touch /c/started && sleep 100\n' | dockerfile
"$CBUILD" --root "$t/store" build --network none "$t/context" >"$t/log" 2>&1 &
builder=$! ended="$ended $builder"
for _ in $(seq 200); do [ -e "$data/started" ] && break; sleep 0.1; done
kill -9 $builder && { wait $builder 2>/dev/null || true; }
cbuild rmi app
cbuild prune -f -a
[ "$(ls "$t/store/layers")" = empty ] && [ -z "$(ls -A "$t/store/cache-mounts")" ] && [ -z "$(ls -A "$t/store/locks/leases")" ]
