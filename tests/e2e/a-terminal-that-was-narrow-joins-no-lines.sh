. "$(dirname "$0")/common.sh"
need_root
need tmux tmux
busybox_base
{ for i in 1 2 3 4; do printf 'FROM busybox AS s%d\nRUN while [ ! -e /c/go ]; do echo line; sleep 0.1; done; echo %d >/f%d\n' $i $i $i; done
  echo FROM busybox; for i in 1 2 3 4; do echo "COPY --from=s$i /f$i /"; done; } |
  sed 's/^RUN/RUN --mount=type=cache,target=\/c/' >"$t/context/Dockerfile"
cat >"$t/run" <<S
$CBUILD --root $t/store build --jobs 4 -t app --network none $t/context
echo status \$?; sleep 100
S
terminal="tmux -S $t/tmux -f /dev/null"
ended="$ended $($terminal new-session -d -P -F '#{pid}' -x 60 -y 24 "bash $t/run")"
shown() { $terminal capture-pane -p -S - >"$t/shown"; grep -q "$1" "$t/shown"; }
await() { for _ in $(seq 200); do ! shown "$1" || return 0; sleep 0.1; done; cat "$t/shown"; return 1; }
await '=> \[s4 2/2\].*s$'
$terminal resize-window -x 30 -y 24
await '=> \[s4 2/2\].*…  *[0-9.]*s$'  # drawn for the narrow window
find "$t/store/cache-mounts" -type d -exec touch {}/go \;
await '^status 0'
$terminal resize-window -x 120 -y 24
shown '^status 0'
not grep -q '=>.*=>' "$t/shown"
