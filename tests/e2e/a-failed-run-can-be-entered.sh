. "$(dirname "$0")/common.sh"
need_root
busybox_base
echo topsecret-value >"$t/secret"
dockerfile <<'D'
FROM busybox
RUN mkdir /src && echo one >/src/a
ENV WHO=me
WORKDIR /src
USER 12:34
RUN --mount=type=cache,target=/cache,uid=12 --mount=type=secret,id=s,uid=12 \
    cat /run/secrets/s >/dev/null && echo cached >/cache/c && echo "half $WHO" >/tmp/b && exit 5
D
exits 3 cbuild --network none --secret id=s,src="$t/secret" "$t/context"
exits 2 cbuild debug
exits 3 cbuild --network none --on-fail=keep --secret id=s,src="$t/secret" "$t/context"
says 'exit code: 5'
id=$(sed -n 's/^kept: cbuild debug //p' "$t/said")
cbuild debug --list | grep "^$id .*exit code: 5"
[ "$(cbuild debug "$id" -- /bin/sh -c 'cat /tmp/b a /cache/c; pwd; id -u; id -g; echo $WHO' 2>/dev/null | tr '\n' ' ')" = \
  'half me one cached /src 12 34 me ' ]
[ "$(echo 'echo $WHO' | cbuild debug 2>/dev/null)" = me ]
[ "$(cbuild debug --secret id=s,src="$t/secret" "$id" cat /run/secrets/s)" = topsecret-value ]
exits 3 cbuild debug "$id" -- /bin/sh -c 'exit 9'
cbuild debug "$id" touch /tmp/new && cbuild debug "$id" -- test -e /tmp/new
# On a terminal it is one for the command too.
echo 'test -t 0 && echo on-a-""terminal; exit' | script -qec "$CBUILD --root $t/store debug $id" /dev/null >"$t/said" 2>&1
says on-a-terminal
cbuild prune -f -a >/dev/null
exits 2 cbuild debug "$id"
