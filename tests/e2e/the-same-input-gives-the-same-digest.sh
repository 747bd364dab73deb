. "$(dirname "$0")/common.sh"
export SOURCE_DATE_EPOCH=1700000000
dockerfile <<'D'
FROM busybox AS build
RUN mkdir -p /out/a && for i in 1 2 3 4 5; do echo $i >/out/a/$i; done; ln /out/a/1 /out/hard; ln -s a /out/soft; chown 12:34 /out/a/2; find /out -exec touch -h -d @1600000000 {} +
FROM scratch
COPY --from=build /out /out
COPY data /data
D
head -c 3000000 /dev/zero | tr '\0' 'x' >"$t/context/data"
for n in 1 2; do  # stores, numbers of threads and times of day that differ
  rm -rf "$t/store"
  busybox_base
  cbuild --jobs $n -t app --network none "$t/context" 2>/dev/null
  cbuild inspect -f '{{.Descriptor.digest}}' app >"$t/digest-$n"
  sleep 1.1
done
cmp "$t/digest-1" "$t/digest-2"
cbuild save -o "$t/1.tar" app
cbuild save -o "$t/2.tar" app
cmp "$t/1.tar" "$t/2.tar"
