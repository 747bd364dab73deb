#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
mkdir -p "$t/context/kept/deep" "$t/context/dropped"
echo k >"$t/context/kept/deep/f"
echo d >"$t/context/dropped/f"
ln "$t/context/kept/deep/f" "$t/context/dropped/hard"
printf '%s\n' dropped '!dropped/hard' >"$t/context/.dockerignore"
dockerfile <<'D'
FROM busybox
COPY . /all
COPY --chown=1:2 --chmod=700 kept /kept
RUN --mount=type=bind,target=/context ! touch /context/new 2>/dev/null
RUN --mount=type=bind,target=/context,rw touch /context/new && rm -r /context/kept
D
list() { find "$t/context" -printf '%p %i %m %U:%G %s %T+ %C+ %l\n' | sort; }
list >"$t/before"
cbuild -t app --network none "$t/context"
list | diff "$t/before" -
mount --bind "$t/context" "$t/context" || skip "cannot mount"
trap 'umount -l "$t/context"; at_exit' EXIT
mount -o remount,bind,ro "$t/context"
cbuild -t app --network none --no-cache "$t/context"
