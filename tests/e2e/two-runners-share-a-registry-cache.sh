. "$(dirname "$0")/common.sh"
need_root
start_registry
busybox_base
dockerfile <<'D'
FROM busybox AS make
COPY src /src
RUN cat /src/* >/out
FROM busybox
COPY --from=make /out /out
RUN wc -c /out
D
mkdir "$t/context/src" && echo one >"$t/context/src/one"
cbuild save -o "$t/base.tar" busybox
cache="type=registry,ref=$registry/cache:app"
cbuild -t app --network none --cache-to "$cache,mode=max" "$t/context"
# Another store, path, umask, clock and owner of the files.
other() { "$CBUILD" --root "$t/other" "$@"; }
other load -i "$t/base.tar"
umask 077
cp -r "$t/context" "$t/clone" && touch -d 2001-01-01 "$t/clone/src/one"
chmod 755 "$t/clone/src" && chmod 644 "$t/clone/src/one" && chown -R 5:6 "$t/clone"
other -t app --network none --cache-from "$cache" --expect-cached "$t/clone"
[ "$(other inspect -f '{{json .RootFS.Layers}}' app)" = "$(cbuild inspect -f '{{json .RootFS.Layers}}' app)" ]
# An image can carry its steps with it.
cbuild -t "$registry/app" --network none --cache-to type=inline --push "$t/context"
rm -rf "$t/other" && other load -i "$t/base.tar"
exits 8 other build --network none --expect-cached "$t/clone"
other -t app --network none --cache-from "$registry/app" --expect-cached "$t/clone"
