. "$(dirname "$0")/common.sh"
need_root
busybox_base
for i in 1 2 3; do
  printf 'FROM busybox\nRUN --mount=type=cache,target=/c head -c 3000000 /dev/urandom | tee /c/big >/big%s\n' $i | dockerfile
  cbuild -q -t app --network none "$t/context" >/dev/null
done
field() { python3 -c "import json,sys; print(json.load(sys.stdin)$1)"; }
size=$(cbuild du --format json | field '["bytes"]')
du=$(du -s --block-size=1 "$t/store" | cut -f 1)
[ $((size - du)) -lt $((du / 100)) ] && [ $((du - size)) -lt $((du / 100)) ]
cbuild du | grep -q '^layers .*MB'
cbuild prune -f --keep-storage 8m --dry-run | grep -q 'Would reclaim'
cbuild prune -f --keep-storage 14m
[ "$(cbuild du --format json | field '["bytes"]')" -le 14680064 ]
# The newest steps are still known.
cbuild -t app --network none "$t/context" 2>&1 | grep -q ' 0 steps run'
printf 'FROM busybox\nRUN head -c 9000000 /dev/urandom >/big\n' | dockerfile
cbuild -t app --network none --store-max 16m "$t/context" 2>"$t/said"
says 'pruned '
[ "$(cbuild du --format json | field '["bytes"]')" -le 33554432 ]
exits 2 cbuild build --store-max lots "$t/context"
exits 2 cbuild prune -f --max 101%
cbuild history app >/dev/null && cbuild verify
