# SOURCE_DATE_EPOCH may name a stage that ADDs one file: its Last-Modified.
. "$(dirname "$0")/common.sh"
mkdir "$t/www"
echo hello >"$t/www/file"
touch -d @1600000000 "$t/www/file"
python3 -u -m http.server --bind 127.0.0.1 --directory "$t/www" 0 >"$t/http.log" 2>&1 &
ended="$ended $!"
for _ in $(seq 100); do
  port=$(sed -n 's/.*port \([0-9]*\) .*/\1/p' "$t/http.log" | head -n 1)
  [ -z "$port" ] || break
  sleep 0.1
done
dockerfile <<EOF
FROM scratch AS time
ARG FILE
ADD http://127.0.0.1:$port/\$FILE /
FROM scratch
ARG SOURCE_DATE_EPOCH
LABEL epoch=\$SOURCE_DATE_EPOCH
COPY Dockerfile /
EOF
build() { cbuild build -q -t "$1" --build-arg FILE=file --build-arg SOURCE_DATE_EPOCH="$2" "$t/context"; }
build a TIME >/dev/null
[ "$(cbuild inspect -f '{{.Created}}' a)" = 2020-09-13T12:26:40Z ]
cbuild inspect a | grep -q '"epoch": *"1600000000"'
exits 2 build b nobody
says 'invalid SOURCE_DATE_EPOCH: nobody'
