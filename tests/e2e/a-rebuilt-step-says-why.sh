. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox AS make
ARG REVISION
COPY src /src
RUN cat /src/* >/out
FROM busybox
COPY --from=make /out /out
D
mkdir "$t/context/src"
echo one >"$t/context/src/one" && echo two >"$t/context/src/two"
build() { cbuild -t app --network none "$@" "$t/context" 2>"$t/log"; }
build && build --expect-cached
chmod 600 "$t/context/src/two"
status=0 && build --expect-cached=make || status=$?
[ "$status" = 8 ] && grep -q 'src/two: mode 0644 -> 0600' "$t/log"
build --explain
grep -A1 'REBUILT .*COPY src /src' "$t/log" | grep -q 'src/two: mode 0644 -> 0600'
# The result is the same, so what takes it is kept, and `why` tells it later.
cbuild why "$t/context" | grep -q 'CACHED .*COPY --from=make'
build --build-arg REVISION=7
cbuild why 'RUN cat' "$t/context" | grep -q 'ARG REVISION is new: "7"'
