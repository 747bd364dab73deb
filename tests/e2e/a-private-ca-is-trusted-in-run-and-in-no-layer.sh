. "$(dirname "$0")/common.sh"
need_root
need openssl openssl
busybox_base
for name in one two; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=ca-$name" -keyout /dev/null -out "$t/$name.pem" 2>/dev/null
done
dockerfile <<'D'
FROM busybox
RUN mkdir -p /etc/ssl/certs && echo theirs >/etc/ssl/certs/ca-certificates.crt
RUN grep -q BEGIN /etc/ssl/certs/ca-certificates.crt && grep -q BEGIN "$SSL_CERT_FILE" && touch /done
D
cbuild -t app --network none --ca-cert "$t/one.pem" "$t/context"
cbuild -t app --network none --ca-cert "$t/two.pem" "$t/context" 2>&1 | grep '0 steps run'
cbuild save -o "$t/app.tar" app
mkdir "$t/out" && tar -xf "$t/app.tar" -C "$t/out"
secret=$(sed -n 3p "$t/one.pem")
not grep -rqF "$secret" "$t/store" "$t/out"
find "$t/out" -name '*.tar*' -o -path '*blobs*' -type f | while read -r f; do tar -tf "$f" 2>/dev/null | tr '\n' ' '; echo; done >"$t/lists"
grep -qx 'done ' "$t/lists"
exits 2 cbuild --ca-cert "$t/context/Dockerfile" "$t/context"
