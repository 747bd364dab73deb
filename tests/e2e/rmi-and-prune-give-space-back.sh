. "$(dirname "$0")/common.sh"
busybox_base
dockerfile <<'D'
FROM busybox
RUN head -c 20000000 /dev/urandom >/big
D
cbuild -t app --network none "$t/context" 2>/dev/null
cbuild tag app other:2
cbuild rmi app | grep -q '^Untagged: app:latest$'
cbuild history other:2 >/dev/null
cbuild rmi other:2 | grep -q '^Deleted: sha256:'
not cbuild inspect other:2 2>/dev/null
exits 2 cbuild prune  # there is nobody to ask
before=$(du -s --block-size=1 "$t/store" | cut -f 1)
cbuild prune -f -a | tee "$t/pruned"
grep -q '^Total reclaimed space: ' "$t/pruned"
after=$(du -s --block-size=1 "$t/store" | cut -f 1)
[ $((before - after)) -gt 15000000 ]
cbuild -t app --network none "$t/context" 2>&1 | grep -q '1 step run'
