. "$(dirname "$0")/common.sh"
need_root
busybox_base
try() {  # status, what it says, flags; the Dockerfile comes on standard input
  cat >"$t/bad"; want=$1; text=$2; shift 2
  exits "$want" cbuild build --network none -t bad -f "$t/bad" "$@" "$t/context"
  says "$text"
  not cbuild inspect bad 2>/dev/null  # nothing was tagged
}
try 2 'bad:2:1' <<<$'FROM busybox\nRUNN true'
says 'did you mean RUN?'
try 2 '"/missing": not found' <<<$'FROM busybox\nCOPY missing /'
try 2 'unknown flag: --no-cach' --no-cach <<<'FROM busybox'
says 'did you mean --no-cache?'
try 2 'target stage "prod" could not be found' --target prod <<<'FROM busybox'
try 2 'not supported yet' --cache-to type=gha <<<'FROM busybox'
try 3 'exit code: 7' <<<$'FROM busybox\nRUN exit 7'
try 5 '127.0.0.1:1' <<<'FROM 127.0.0.1:1/none'
exits 2 cbuild -t app "$t/no-such-directory"
exits 2 cbuild pul app
says 'did you mean pull?'
exits 1 cbuild history nothing
printf 'FROM busybox\nRUN true >/ok\n' | cbuild -t good --network none -f - "$t/context"
