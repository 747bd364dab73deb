. "$(dirname "$0")/common.sh"
need_root
need strace strace
busybox_base
{
  for stage in a b c; do
    echo "FROM busybox AS $stage"
    for n in 1 2 3 4 5 6 7 8; do echo "RUN echo $stage$n >/$stage$n"; done
  done
  printf '%s\n' 'FROM busybox' 'COPY --from=a /a8 /' 'COPY --from=b /b8 /' \
    'COPY --from=c /c8 /' 'COPY Dockerfile /' 'RUN ls /' 'WORKDIR /w'
} | dockerfile
cbuild -t app --network none "$t/context" 2>/dev/null
# Of the stages that files were copied from no tarball was made: base and image.
[ "$(ls "$t/store/blobs/sha256" | wc -l)" -le 14 ]
cbuild -t app --network none "$t/context" 2>/dev/null
strace -f -o "$t/all" "$CBUILD" --root "$t/store" build -q -t app --network none "$t/context"
sed -i '/"build\.json/d' "$t/all"  # the list of past builds
# That a tree is there is looked at, once for each layer of a base.
not grep -E 'layers/[^/]*/(tree/|index)' "$t/all"
not grep -E '(open[a-z0-9]*|getdents64)\(.*layers/[^/]*/tree' "$t/all"
not grep -E ' (mount|fsopen|open_tree|unshare|connect|rename[a-z0-9]*|execve\(.*sh)\(' "$t/all"
not grep -E 'socket\(AF_INET|libcurl|libarchive' "$t/all"
calls=$(wc -l <"$t/all")
[ "$calls" -lt 1500 ] || { echo "$calls system calls" >&2; exit 1; }
