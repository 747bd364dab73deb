. "$(dirname "$0")/common.sh"
need_root
need skopeo skopeo
busybox_base
printf 'FROM busybox\nRUN echo kept >/kept\nCMD ["cat", "/kept"]\n' | dockerfile
cbuild -t app:1 --network none "$t/context" 2>/dev/null
id=$(image_id app:1)
for format in docker-archive oci-archive; do
  cbuild save --format $format -o "$t/$format.tar" app:1
  skopeo inspect --config "$format:$t/$format.tar" | grep -q '"/kept"'
  gzip -kf "$t/$format.tar"
  for archive in "$t/$format.tar" "$t/$format.tar.gz"; do
    rm -rf "$t/store"
    cbuild load -i "$archive" | grep -q '^Loaded image: app:1$'
    [ "$(image_id app:1)" = "$id" ]
  done
done
cbuild save app:1 | cmp - "$t/docker-archive.tar"
head -c 300000 "$t/docker-archive.tar" >"$t/short.tar"
not cbuild load -i "$t/short.tar" 2>"$t/said"
says short.tar
