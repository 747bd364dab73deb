#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
dockerfile <<'D'
FROM busybox
RUN mkdir /d && echo a >/d/a && truncate -s 1100M /d/lastlog && touch /d/.wh.a
D
cbuild -t app --network none "$t/context" >"$t/said" 2>&1
says '/d/lastlog is sparse: '
says '1.15GB in the layer'
says '/d/.wh.a: a file of this name deletes /d/a when its layer is unpacked'
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$t/context/s"
printf 'FROM busybox\nCOPY . /c\n' | dockerfile
cbuild -t app --network none "$t/context" >"$t/said" 2>&1
says '/s is a socket and not copied'
printf 'FROM busybox\nCOPY s /c\n' | dockerfile
exits 2 cbuild -t app --network none "$t/context"
says '"/s": not found (it is a socket)'
printf 'FROM busybox\nRUN --mount=target=/c mkdir /d && mkfifo /d/p && cp -a /c/s /d/s && test -S /d/s\n' | dockerfile
cbuild -t app --network none "$t/context" >"$t/said" 2>&1
says '/d/s is a socket: layers hold none, the image is without it'
unpacked app:latest bundle; [ -p "$t/bundle/rootfs/d/p" ]; [ ! -e "$t/bundle/rootfs/d/s" ]
