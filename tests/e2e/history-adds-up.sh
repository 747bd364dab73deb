. "$(dirname "$0")/common.sh"
busybox_base
dockerfile <<'D'
FROM busybox
RUN head -c 1000000 /dev/zero >/a
RUN head -c 500000 /dev/zero >/b && rm /a
ENV X=1
COPY Dockerfile /
D
cbuild -t app --network none "$t/context" 2>/dev/null
cbuild history --human=false --format '{{.Size}} {{.CreatedBy}}' app | tee "$t/history"
# Each step shows what it added, newest first, metadata nothing.
grep -q "^$(stat -c %s "$t/context/Dockerfile") COPY Dockerfile" "$t/history"
grep -q '^0 ENV X=1' "$t/history"
grep -q '^500000 RUN' "$t/history"
grep -q '^1000000 RUN' "$t/history"
sum=$(awk '{ sum += $1 } END { print sum }' "$t/history")
[ "$sum" = "$(cbuild inspect -f '{{.Size}}' app)" ]
