. "$(dirname "$0")/common.sh"
need_root
need python3 python3-minimal
mkdir "$t/web"
python3 "$here/../registry/web_server.py" "$t/web" >"$t/web.log" &
ended=$!
until port=$(sed -n 's/^port //p' "$t/web.log") && [ -n "$port" ]; do sleep 0.1; done
url=http://127.0.0.1:$port
echo one >"$t/web/file"
printf '%s\n' 'FROM scratch' "ADD $url/file /a/" >"$t/context/Dockerfile"
cbuild -q -t first "$t/context"
got=$(grep -c '"GET /file"' "$t/web.log")
cbuild -q -t second "$t/context"
[ "$(image_id first)" = "$(image_id second)" ]
[ "$(grep -c '"GET /file"' "$t/web.log")" = "$got" ]
echo two >"$t/web/file"
cbuild -q -t third "$t/context"
[ "$(image_id first)" != "$(image_id third)" ]
sum=$(sha256sum <"$t/web/file" | cut -d ' ' -f 1)
printf '%s\n' 'FROM scratch' "ADD --checksum=sha256:$sum $url/to/file /" >"$t/context/Dockerfile"
cbuild -q "$t/context"
printf '%s\n' 'FROM scratch' "ADD --checksum=sha256:${sum%??}00 $url/file /" >"$t/context/Dockerfile"
exits 5 cbuild -q "$t/context"; says 'digest mismatch for'
printf '%s\n' 'FROM scratch' "ADD $url/private/file /" >"$t/context/Dockerfile"
exits 4 cbuild -q "$t/context"; says HTTP_AUTH_TOKEN_127.0.0.1
TOKEN=secret cbuild -q --secret id=HTTP_AUTH_TOKEN_127.0.0.1,env=TOKEN "$t/context"
printf '%s\n' 'FROM scratch' "ADD $url/missing /" >"$t/context/Dockerfile"
exits 5 cbuild -q "$t/context"; says 'invalid response status 404'
