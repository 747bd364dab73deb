# All calls, raw ones too, and the commit of a RUN: the n-th of each name in any
# thread is where the build is killed, or, where it writes, meets a full disk.
# Every 61st of them; FAULT_STEP=1 tries all, which takes half an hour.
. "$(dirname "$0")/common.sh"
need_root
need strace strace
need /bin/busybox busybox-static
cp /bin/busybox "$t/context/"
dockerfile <<'D'
FROM scratch AS one
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir /d && echo made >/d/file"]
FROM scratch
COPY --from=one /bin /bin
RUN --mount=type=cache,target=/c --mount=from=one,target=/one ["/bin/busybox", "cp", "-r", "/one/d", "/d"]
D
build() { "$CBUILD" --root "$t/s" build -q -t app --network none "$t/context"; }
traced() { strace -f -qq -o "$t/trace" -e trace=all "$@" "$CBUILD" --root "$t/s" build -q -t app --network none "$t/context"; }
traced >/dev/null 2>&1 </dev/null
awk 'match($2, /^[a-z0-9_]+\(/) {n = substr($2, 1, RLENGTH - 1); if (++c[$1, n] > most[n]) most[n] = c[$1, n]}
  END {for (n in most) for (i = 1; i <= most[n]; ++i) print n, i}' "$t/trace" | sort >"$t/calls"
sed 's/$/ signal=KILL/' "$t/calls" >"$t/faults"
grep -E '^(p?write|mk|rename|sym|link|ftrunc|f?sync|copy_)' "$t/calls" | sed 's/$/ error=ENOSPC/' >>"$t/faults"
sed -n "${FAULT_FIRST:-7}~${FAULT_STEP:-61}p" "$t/faults" >"$t/some"
failed=0
while read -r name at what; do
  rm -rf "$t/s"
  status=0
  { traced -e "inject=$name:$what:when=$at" >/dev/null; } 2>"$t/said" </dev/null || status=$?
  case $what-$status in signal*|*-[036]) ;; *) cat "$t/said"; echo "status $status: $name $at $what"; exit 1 ;; esac
  [ $status = 0 ] || failed=$((failed + 1))
  build >"$t/said" 2>&1 </dev/null && "$CBUILD" --root "$t/s" verify >>"$t/said" 2>&1 &&
    [ -z "$(ls -A "$t/s/tmp")" ] || { cat "$t/said"; echo "after $name $at $what"; exit 1; }
done <"$t/some"
echo "$failed of $(wc -l <"$t/some") builds failed, of $(wc -l <"$t/faults") that could"
[ "$failed" -gt 5 ]
not grep -q "$t/s" /proc/mounts
