. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
ARG N
RUN --mount=type=cache,target=/c cat /c/old; echo "$N" >/c/old; ln -f /c/old /c/link; mkdir -p /c/d; chown 5:6 /c/d
D
cbuild --network none --build-arg N=first "$t/context"
cbuild cache ls | grep ' /c$'
cbuild cache export /c -o "$t/c.tar.zst"
tar --zstd -tvf "$t/c.tar.zst" | grep ' 5/6 .* d/$'
exits 2 cbuild cache export /none -o "$t/none"
[ ! -e "$t/none" ]
rm -rf "$t/store"
busybox_base
cbuild cache import /c -i "$t/c.tar.zst"
cbuild --network none --progress plain --build-arg N=second "$t/context" 2>&1 | tee "$t/said"
says ' first'
exits 1 cbuild cache import /c -i "$t/context/Dockerfile"
cbuild cache export /c | tar --zstd -xOf - link | grep second
# Or a directory that the runner keeps itself.
cbuild --network none --build-arg N=third --cache-mount id=/c,dir="$t/kept" "$t/context"
[ "$(cat "$t/kept/old")" = third ]
