. "$(dirname "$0")/common.sh"
need_root
busybox_base
layers() { ls "$t/store/layers" | sort; }
printf 'FROM busybox\nRUN echo one >/one\n' | dockerfile
layers >"$t/before"
cbuild -q -t one --network none "$t/context"
# One more layer: those of the base are mounted where they are.
layers | comm -13 "$t/before" - >"$t/new"
[ "$(wc -l <"$t/new")" = 1 ]
# Nor does listing images, which is the same with what it remembered.
layers >"$t/before"
listed() { cbuild images --no-trunc --format '{{.Repository}} {{.ID}} {{.CreatedAt}} {{.Size}}'; }
listed >"$t/first"
listed | cmp - "$t/first"
[ -s "$t/store/image-facts" ]
layers | cmp - "$t/before"
# Without the cached steps the base is unpacked from its tarballs.
cbuild prune -f -a >/dev/null
printf 'FROM busybox\nRUN echo two >/two\n' | dockerfile
cbuild -q -t two --network none "$t/context"
printf 'FROM two\nRUN cat /two\n' | dockerfile
cbuild -t three --network none --progress plain "$t/context" 2>&1 | grep -q '^#[0-9]* [0-9.]* two$'
