. "$(dirname "$0")/common.sh"
need_root
need tmux tmux
busybox_base
{ for i in 1 2 3 4; do printf 'FROM busybox AS s%d\nRUN for k in 1 2 3 4 5 6 7 8; do echo line $k; sleep 0.1; done; echo %d >/f%d\n' $i $i $i; done
  echo FROM busybox; for i in 1 2 3 4; do echo "COPY --from=s$i /f$i /"; done; } >"$t/context/Dockerfile"
cat >"$t/run" <<S
$CBUILD --root $t/store build --jobs 4 -t app --network none $t/context
echo status \$?; sleep 100
S
terminal="tmux -S $t/tmux -f /dev/null"
ended="$ended $($terminal new-session -d -P -F '#{pid}' -x 40 -y 24 "bash $t/run")"
for _ in $(seq 200); do
  $terminal capture-pane -p -S - >"$t/shown"
  grep -q '^status' "$t/shown" && break
  sleep 0.1
done
grep -q '^status 0' "$t/shown" || { cat "$t/shown"; exit 1; }
# Each step is there once, and of the block that was drawn over nothing.
for i in 1 2 3 4; do [ "$(grep -c "=> \[s$i 2/2\] RUN" "$t/shown")" = 1 ] || { cat "$t/shown"; exit 1; }; done
not grep -q 'steps *[0-9.]*s$' "$t/shown"
grep -n 'FROM' "$t/shown" | head -n 1 | grep -q CACHED
