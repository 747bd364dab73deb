. "$(dirname "$0")/common.sh"
need_root
busybox_base
export TOKEN=s3cr3t-t0ken-7531 HTTPS_PROXY=http://user:pr0xy-pass-9642@127.0.0.1:1
printf 'file-s3cr3t-8642\n' >"$t/secret"
dockerfile <<'D'
FROM busybox
RUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=f,target=/new/dir/f \
    test "$TOKEN" = s3cr3t-t0ken-7531 && grep -q s3cr3t /new/dir/f && env | grep -q pr0xy && touch /done
RUN test -z "$TOKEN" && test ! -e /new
RUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=f test -e /fail
D
sed -i 's/ = s3cr3t-t0ken-7531 && / \&\& /' "$t/context/Dockerfile"
build() {
  cbuild -t app --network none --build-arg HTTPS_PROXY --secret id=t,env=TOKEN \
    --secret id=f,src="$t/secret" "$@" "$t/context"
}
exits 3 build --on-fail=keep
sed -i '$d' "$t/context/Dockerfile"
build >"$t/log" 2>&1
cbuild history --no-trunc app >"$t/history"
cbuild inspect app >"$t/inspect"
cbuild save -o "$t/app.tar" app
for secret in s3cr3t-t0ken-7531 file-s3cr3t-8642 pr0xy-pass-9642; do
  not grep -rlaF $secret "$t/store" "$t/log" "$t/said" "$t/history" "$t/inspect" "$t/app.tar"
done
printf 'FROM busybox\nRUN --mount=type=secret,id=f cp /run/secrets/f /etc/kept\n' >"$t/context/Dockerfile"
exits 1 build --refuse-secrets
says 'secret f is in /etc/kept: the layer is refused'
not grep -rlaF file-s3cr3t-8642 "$t/store"
