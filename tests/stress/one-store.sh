#!/usr/bin/env bash
# Many processes on one store:  tests/stress/one-store.sh [PROCESSES [BUILDS]]
#
# Each process makes BUILDS builds of a few Dockerfiles that share steps, and in
# between lists, verifies, prunes, pushes to the same repositories, removes names
# and kills a build (-9). Nothing may fail but what was killed, and at the end the
# store is sound. CI runs it small, as an end-to-end script.
. "$(dirname "$0")/../e2e/common.sh"
need_root
processes=${1:-6} builds=${2:-8} kinds=12
busybox_base
start_registry
for kind in $(seq $kinds); do
  mkdir -p "$t/k$kind"
  head -c 50000 /dev/urandom >"$t/k$kind/data"
  cat >"$t/k$kind/Dockerfile" <<D
FROM busybox AS one
RUN echo shared >/shared
RUN echo $((kind % 3)) >/third
FROM busybox
COPY data /data
RUN --mount=from=one,target=/one cat /one/shared /one/third >/got && grep -qx $((kind % 3)) /got
D
done

fail() { echo "$*" >>"$t/failures"; cat "$t/out$me" >>"$t/failures"; }
# Runs the program; any status but 0 and those given is a failure.
allow() {
  codes=" 0 $1 "; shift
  status=0; cbuild "$@" >"$t/out$me" 2>&1 </dev/null || status=$?
  case $codes in *" $status "*) ;; *) fail "process $me: status $status: $*" ;; esac
}
killed() {
  "$CBUILD" --root "$t/store" build -t "s/$kind" --network none "$t/k$kind" >"$t/out$me" 2>&1 </dev/null &
  victim=$!
  sleep "0.0$((RANDOM % 10))"
  kill -9 $victim 2>/dev/null || true
  wait $victim 2>/dev/null || true
}
process() {
  me=$1 RANDOM=$1
  for build in $(seq "$builds"); do
    kind=$((RANDOM % kinds + 1))
    case $((RANDOM % 12)) in
      0) killed ;;
      1) allow 1 rmi "s/$kind" ;;  # there may be none
      2) allow "" prune -f --until 0s ;;
      3) allow "" build -t "$registry/s/$kind" --push --insecure --network none "$t/k$kind" ;;
      4) allow "" images ;;
      5) allow "" build --no-cache -t "s/$kind" --network none "$t/k$kind" ;;
      7) allow "" verify ;;
      6) allow "" build -t "s/$kind" --network none --store-max 2m "$t/k$kind" ;;
    esac
    allow "" build -t "s/$kind" --network none "$t/k$kind"
  done
}
: >"$t/failures"
start=$(date +%s)
pids=""
for n in $(seq "$processes"); do process "$n" & pids="$pids $!"; done
for pid in $pids; do wait "$pid"; done
echo "$processes processes, $builds builds each: $(($(date +%s) - start)) s, $(grep -c '^process' "$t/failures" || true) failures"
me=end
for kind in $(seq $kinds); do allow "" build -t "s/$kind" --network none "$t/k$kind"; done
allow "" verify
cat "$t/out$me"
allow "" prune -f -a
allow "" verify
head -n 60 "$t/failures"
[ ! -s "$t/failures" ]
[ -z "$(ls -A "$t/store/tmp")" ]
not grep -q "$t/store" /proc/mounts
