. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
RUN for i in 1 2 3; do echo "line $i"; done
RUN echo bye && false
D
exits 3 cbuild -t app --network none "$t/context"
sed -i '$d' "$t/context/Dockerfile"
cbuild -q -t app --network none "$t/context" >/dev/null
cbuild builds | tee "$t/said"
says '1   '
[ "$(cbuild builds | awk '$1 ~ /^[0-9]+$/ { print $1 }' | tr '\n' ' ')" = "1 2 3 " ]
cbuild builds show 2 >"$t/said"
says 'failed'; says 'exit code: 1'
[ "$(cbuild builds show 2 2)" = "$(printf 'line 1\nline 2\nline 3')" ]
[ "$(cbuild builds show 2 3)" = bye ]
cbuild builds show --format json | python3 -c '
import json, sys
b = json.load(sys.stdin)
assert b["outcome"] == "built" and b["names"] == ["app:latest"], b
assert [s["outcome"] for s in b["steps"]] == ["cached", "cached"], b'
exits 1 cbuild builds show 9
exits 2 cbuild builds sho
for i in $(seq 101); do cbuild -q "$t/context" >/dev/null; done
[ "$(ls "$t/store/logs" | wc -l)" = 100 ]
