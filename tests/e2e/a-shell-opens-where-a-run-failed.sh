. "$(dirname "$0")/common.sh"
need script bsdutils
busybox_base
printf 'FROM busybox\nENV WHO=me\nWORKDIR /src\nUSER 12\nRUN echo half >/tmp/b && exit 5\n' | dockerfile
# The shell is on the terminal, in the state of the failed step; its own end changes nothing.
status=0
printf 'echo "$(cat /tmp/b) $WHO $(pwd) $(id -u)"; test -t 0 && echo on-a-""terminal; exit 9\n' |
  script -qec "$CBUILD --root $t/store build --network none --on-fail=shell $t/context" /dev/null >"$t/said" 2>&1 || status=$?
[ "$status" = 3 ] || { cat "$t/said"; exit 1; }
says 'half me /src 12'
says 'on-a-terminal'
says 'exit code: 5'
# Without a terminal it reads what it is given, here nothing; and nothing is kept.
exits 3 cbuild --network none --on-fail=shell "$t/context"
[ -z "$(cbuild debug --list 2>/dev/null | grep 'exit code')" ]
