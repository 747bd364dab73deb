. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
RUN --mount=type=cache,target=/c echo x >>/c/runs; sleep 1
RUN --mount=type=cache,target=/c echo x >>/c/runs; wc -l </c/runs >/runs
D
pids=""
for i in 1 2 3 4; do
  cbuild -t "app$i" --network none --progress plain "$t/context" >"$t/said$i" 2>&1 &
  pids="$pids $!"
done
for pid in $pids; do wait "$pid"; done
cat "$t"/said?
# Each step ran in one of the builds, and all have the same image.
[ "$(cat "$t"/said? | grep -c '^#[0-9]* DONE')" = 2 ]
[ "$(for i in 1 2 3 4; do image_id "app$i"; done | sort -u | wc -l)" = 1 ]
cbuild verify
ls "$t/store/locks" | not grep '^step-'
