. "$(dirname "$0")/common.sh"
need_root
fault=$(dirname "$CBUILD")/tests/libfailing-disk.so
[ -e "$fault" ] || skip "the target failing-disk is not built"
mkdir "$t/context/d"
head -c 3000 /dev/urandom >"$t/context/a"
ln "$t/context/a" "$t/context/d/b"; ln -s ../a "$t/context/d/c"
dockerfile <<'D'
FROM scratch AS one
COPY a /a
WORKDIR /w
FROM scratch
COPY --from=one /a /a
COPY d /d
D
build() { "$CBUILD" --root "$t/$1" build -q -t app "$t/context"; }
faulty() { FAULT_AT=$1 FAULT_KIND=$2 LD_PRELOAD=$fault build "$3" >"$t/said" 2>&1 </dev/null; }
FAULT_COUNT=$t/count LD_PRELOAD=$fault build first >/dev/null
changes=$(cat "$t/count"); echo "$changes changes"
[ "$changes" -gt 100 ]
for kind in enospc kill torn; do
  for at in $(seq "${FAULT_FIRST:-1}" "${FAULT_STEP:-17}" "$changes"); do
    status=0; faulty "$at" $kind "s$at" || status=$?
    case $kind-$status in enospc-[06]|kill-137|torn-137|kill-0|torn-0) ;; *) cat "$t/said"; echo "$kind at $at: $status"; exit 1 ;; esac
    build "s$at" >/dev/null || { echo "after $kind at $at"; exit 1; }
    "$CBUILD" --root "$t/s$at" verify >"$t/said" 2>&1 || { cat "$t/said"; echo "after $kind at $at"; exit 1; }
    rm -r "$t/s$at"
  done
done
