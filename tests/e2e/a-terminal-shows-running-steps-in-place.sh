. "$(dirname "$0")/common.sh"
need_root
need script bsdutils
busybox_base
dockerfile <<'D'
FROM busybox
RUN for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done
RUN echo before the failure; false
D
status=0
TERM=xterm script -qec "stty cols 60 rows 20; $CBUILD --root $t/store build --network none $t/context" "$t/typescript" >/dev/null </dev/null || status=$?
[ $status = 3 ]
esc=$(printf '\033')
grep -q "${esc}\[[0-9]*A" "$t/typescript"             # drawn over in place
grep -q "line 3" "$t/typescript"                      # output while it runs
grep -q "${esc}\[31m=> ERROR" "$t/typescript"         # in red
not grep -q "${esc}\[?25l" "$t/typescript"            # the cursor stays
tail -n 12 "$t/typescript" | grep -q "^${esc}\[Kbefore the failure"
TERM=xterm NO_COLOR=1 script -qec "$CBUILD --root $t/store build --network none $t/context" "$t/typescript" >/dev/null </dev/null || true
not grep -q "${esc}\[31m" "$t/typescript"
# A pipe gets lines.
cbuild build --network none "$t/context" 2>&1 | grep -q '^#2 CACHED' || true
