. "$(dirname "$0")/common.sh"
need_root
need htpasswd apache2-utils
need openssl openssl
need skopeo skopeo
export DOCKER_CONFIG=$t/docker
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout "$t/ca.key" -out "$t/ca.crt" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$t/key" -out "$t/csr" 2>/dev/null
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost' >"$t/ext"
openssl x509 -req -in "$t/csr" -CA "$t/ca.crt" -CAkey "$t/ca.key" -days 2 -extfile "$t/ext" -out "$t/crt" 2>/dev/null
htpasswd -Bbn me right >"$t/htpasswd"
start_registry "  tls: {certificate: $t/crt, key: $t/key}" "auth: {htpasswd: {realm: test, path: $t/htpasswd}}"
busybox_base
cbuild tag busybox "$registry/base:1"
exits 5 cbuild push "$registry/base:1"  # nobody vouches for its certificate
printf right | cbuild login -u me --password-stdin --tls-ca "$t/ca.crt" "$registry"
cbuild push --tls-ca "$t/ca.crt" "$registry/base:1"
mkdir "$t/certs"; cp "$t/ca.crt" "$t/certs/"
skopeo inspect --cert-dir "$t/certs" --creds me:right "docker://$registry/base:1" >/dev/null
rm -rf "$t/store"
printf 'FROM %s/base:1\nRUN echo hi >/hi\n' "$registry" | dockerfile
cbuild -t "$registry/app:2" --tls-ca "$t/ca.crt" --network none --push "$t/context"
skopeo inspect --cert-dir "$t/certs" --creds me:right "docker://$registry/app:2" | grep -q '"Layers"'
exits 5 cbuild pull "$registry/app:2"
SSL_CERT_FILE=$t/ca.crt cbuild pull "$registry/app:2"
cbuild pull --insecure "$registry/app:2"
