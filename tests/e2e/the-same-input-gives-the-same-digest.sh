. "$(dirname "$0")/common.sh"
need_root
export SOURCE_DATE_EPOCH=1700000000
dockerfile <<'D'
FROM busybox AS build
RUN mkdir -p /out/a && for i in 1 2 3 4 5; do echo $i >/out/a/$i; done
FROM busybox
COPY --from=build /out /out
COPY data /data
RUN chown 12:34 /data && ln /data /hard && ln -s /data /soft
D
head -c 3000000 /dev/zero | tr '\0' 'x' >"$t/context/data"
for n in 1 2; do
  rm -rf "$t/store"
  busybox_base
  cbuild --jobs $n -t app --network none "$t/context" 2>/dev/null
  cbuild inspect -f '{{.Descriptor.digest}}' app >"$t/digest-$n"
  sleep 1.1
  touch "$t/context/data"
done
cmp "$t/digest-1" "$t/digest-2"
