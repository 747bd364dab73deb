. "$(dirname "$0")/common.sh"
need_root
need buildah buildah
busybox_base
echo "cd /w && $list_tree" >"$t/context/list"
dockerfile <<'D'
FROM busybox
RUN mkdir -p /w/a/sub /w/target /w/c && echo 1 >/w/a/sub/f && echo 2 >/w/a/g && echo 3 >/w/target/kept && ln -s target /w/link && ln -s target /w/gone && echo 4 >/w/c/old
RUN mv /w/a /w/b && ln -s b /w/a
RUN rm /w/gone && rm /w/a/sub/f && echo new >/w/a/h
RUN rm /w/link && mkdir /w/link && echo 5 >/w/link/kept && rm -r /w/c && ln -s target /w/c
RUN rm /w/a && mv /w/b /w/a && ln -s a/sub /w/b
RUN --mount=target=/list,source=list sh /list >/saw
D
cbuild -t app --network none "$t/context"
same() { chroot "$1" /bin/sh -c "cd /w && $list_tree" | diff "$1/saw" -; }
unpacked app:latest bundle
same "$t/bundle/rootfs"
cbuild save -o "$t/app.tar" app
b="buildah --storage-driver vfs --root $t/containers --runroot $t/containers-run"
container=$($b from "docker-archive:$t/app.tar")
same "$($b mount "$container")"
$b umount "$container" >/dev/null
CBUILD_ROOT=$t/other "$CBUILD" load -q -i "$t/app.tar"
printf 'FROM app\nRUN --mount=target=/list,source=list sh /list | diff /saw -\n' | dockerfile
"$CBUILD" --root "$t/other" -t again --network none "$t/context"
