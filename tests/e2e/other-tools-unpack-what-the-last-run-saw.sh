#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
echo "cd /w && $list_tree" >"$t/context/list"
dockerfile <<'D'
FROM busybox
RUN mkdir -p /w/d/sub /w/keep /w/moved/in && echo 1 >/w/d/f && ln /w/d/f /w/d/hard && ln -s d /w/link && echo x >/w/file && touch /w/d/sub/g
RUN mkdir -m 2750 /w/keep/new && chmod 1777 /w/keep && cp /bin/busybox /w/keep/suid && chown 3:4 /w/keep/suid && chmod 6755 /w/keep/suid
RUN rm -r /w/d
RUN mkdir /w/d && echo new >/w/d/n
RUN rm /w/file && mkdir /w/file && touch /w/file/in
RUN rm /w/link && mkdir /w/link && echo l >/w/link/in
RUN rm -r /w/link && mkdir /w/link
RUN mv /w/moved /w/there && ln -s there /w/moved
RUN rm /w/moved && mv /w/there /w/moved && ln -s moved/in /w/there
RUN echo a >/w/a && ln /w/a /w/b && ln /w/a /w/c
RUN chown 5:6 /w/a
RUN echo more >>/w/b
RUN mkfifo -m 640 /w/fifo && mknod -m 604 /w/dev c 1 3
RUN (while :; do echo line >>/w/keep/log; done) & while ! test -s /w/keep/log; do :; done
RUN --mount=type=bind,source=list,target=/list sh /list >/saw
D
cbuild -t app --network none "$t/context"
unpacked app:latest bundle
chroot "$t/bundle/rootfs" /bin/sh -c "cd /w && $list_tree" | diff "$t/bundle/rootfs/saw" -
