. "$(dirname "$0")/common.sh"
need_root
python3 -c 'import boto3, moto.server, flask' 2>/dev/null || skip "no moto with its server (pip install 'moto[server]')"
busybox_base
printf '%s\n' 'FROM busybox' 'RUN echo 1 >/one' 'RUN cp /one /two' | dockerfile
cbuild save -o "$t/base.tar" busybox
python3 "$here/../support/moto_bucket.py" >"$t/server" 2>"$t/moto.log" &
ended="$ended $!"
for _ in $(seq 300); do [ -s "$t/server" ] && break; sleep 0.1; done
read -r port AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY <"$t/server"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION=us-east-1
cache="type=s3,bucket=bucket,endpoint_url=http://127.0.0.1:$port,use_path_style=true,prefix=ci runs/"
cbuild -t app --network none --cache-to "$cache,mode=max" "$t/context"
other() { "$CBUILD" --root "$t/other" "$@"; }
other load -i "$t/base.tar"
other -t app --network none --cache-from "$cache" --expect-cached "$t/context"
# What is refused is told, and fails nothing.
AWS_SECRET_ACCESS_KEY=wrong exits 0 cbuild build --no-cache --network none --cache-to "$cache" "$t/context"
says "cache in bucket bucket at 127.0.0.1:$port: "
says "going on without it"
AWS_SECRET_ACCESS_KEY='' exits 2 cbuild build --cache-to "$cache" "$t/context"
