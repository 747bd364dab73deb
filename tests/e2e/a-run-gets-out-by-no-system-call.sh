. "$(dirname "$0")/common.sh"
need_root
need cc gcc; need python3 python3
cc -static -O1 -o "$t/context/escape" "$here/../support/escape.c" 2>"$t/said" || skip "no static C library: $(head -n 1 "$t/said")"
python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind("\0" + sys.argv[1]); s.listen(); print(flush=True); time.sleep(600)' "cbuild-$$" >"$t/up" &
ended="$ended $!"; server=$!
setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all sleep 600 & other=$!; ended="$ended $other"
until [ -s "$t/up" ]; do sleep 0.1; done
printf 'FROM scratch\nCOPY escape /\nRUN ["/escape", "cbuild-%s", "devices", "%s", "%s", "%s"]\n' $$ $$ "$server" "$other" | dockerfile
user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$t/cbuild" --root "$t/user" "$t/context" --network "$1"; }
chmod 711 "$t"; chmod 755 "$t/context"; cp "$CBUILD" "$t/cbuild"; mkdir -m 777 "$t/user"
for network in none default; do
  cbuild --no-cache --network $network "$t/context" >"$t/said" 2>&1 || { cat "$t/said"; exit 1; }
  CBUILD_ISOLATION=userns exits 0 cbuild --root "$t/userns" --no-cache --network $network "$t/context"
  exits 0 unshare -r "$CBUILD" --root "$t/single" --no-cache --network none "$t/context"
done
user none >"$t/said" 2>&1 || { cat "$t/said"; exit 1; }
# Without namespaces Landlock and seccomp keep it in; devices are a control group's.
sed -i 's/"devices"/"-"/' "$t/context/Dockerfile"
if real_root; then
  CBUILD_ISOLATION=chroot exits 0 cbuild --root "$t/chroot" --no-cache --network host "$t/context"
  says "Landlock and seccomp keep RUN from other processes"
fi
# They are escapes: with every privilege they work, but for what namespaces keep apart.
sed -i 's/^RUN /RUN --security=insecure /' "$t/context/Dockerfile"
exits 3 cbuild --allow security.insecure --network none "$t/context"
for way in fsopen mount; do says "ESCAPED: $way"; done
not grep -E 'abstract|ptrace|pidfd|kill' "$t/said"
