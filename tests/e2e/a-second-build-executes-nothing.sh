. "$(dirname "$0")/common.sh"
need_root
need strace strace
start_registry
busybox_base
cbuild tag busybox "$registry/base"
cbuild push -q "$registry/base"
rm -rf "$t/store"
cat >"$t/context/Dockerfile" <<D
FROM $registry/base AS build
RUN head -c 100000 /dev/zero >/out
FROM $registry/base
COPY --from=build /out /out
COPY Dockerfile /
RUN wc -c /out
D
cbuild -t app --network none "$t/context"
image_id app >"$t/id"
strace -f -o "$t/all" "$CBUILD" --root "$t/store" build -t app --network none "$t/context"
image_id app | cmp - "$t/id"
grep -v CLONE_THREAD "$t/all" >"$t/trace"  # threads may start, processes not
for call in 'clone3\?(' 'v\?fork(' 'mount(' 'fsopen(' 'open_tree(' 'socket(.*AF_INET' 'connect(' 'unshare('; do
  not grep "[0-9] $call" "$t/trace"
done
not grep -E 'layers/[^/]*/(tree|index)' "$t/trace"
not grep -E 'libcurl|libarchive' "$t/trace"
