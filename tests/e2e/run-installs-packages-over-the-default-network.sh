. "$(dirname "$0")/common.sh"
. "$here/../support/debian.sh"
need_root
debian_base
dockerfile <<'D'
FROM debian
RUN apt-get update && apt-get install -y --no-install-recommends hello
RUN hello >/greeting
D
cbuild -t app "$t/context" 2>"$t/log" || { cat "$t/log"; exit 1; }
cbuild save --format oci-archive -o "$t/app.tar" app
grep -q 'DONE' "$t/log"
printf 'FROM app\nRUN grep -q "Hello, world" /greeting\n' | dockerfile
cbuild --network none "$t/context"
