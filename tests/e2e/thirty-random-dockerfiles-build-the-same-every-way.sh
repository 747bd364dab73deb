#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
need python3 python3
need /bin/busybox busybox-static
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm  # a build syncs its disk
"$here/../fuzz/differential/differential" --cbuild "$CBUILD" --seeds 1-30
