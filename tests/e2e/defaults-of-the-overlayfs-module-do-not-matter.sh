. "$(dirname "$0")/common.sh"
need_root
parameters=/sys/module/overlay/parameters
{ [ -w $parameters/redirect_dir ] && : >>$parameters/redirect_dir; } 2>/dev/null || skip "the parameters of overlayfs cannot be set here"
busybox_base
restore=""
for name in redirect_dir metacopy index; do restore="$restore echo $(cat $parameters/$name) >$parameters/$name;"; done
trap 'status=$?; eval "$restore"; (exit $status); at_exit' EXIT
dockerfile <<'D'
FROM busybox AS base
RUN mkdir -p /dir/sub && echo in >/dir/sub/file && echo big >/owned && mkdir /with && touch /with/one
FROM base
RUN cp -p /owned /time && echo bog >/owned && touch -r /time /owned && rm /time
RUN mv /dir /dir2 && mv /dir2/sub /dir2/other
RUN chown -R 7:8 /owned /with && chmod 600 /owned
RUN mv /dir2/other/file /x && mv /x /dir2/other/file
D
for name in redirect_dir metacopy index; do echo Y >$parameters/$name; done
cbuild -t app --network none "$t/context"
eval "$restore"
unpacked app:latest out; root=$t/out/rootfs
[ "$(cat "$root/dir2/other/file")$(cat "$root/owned")" = inbog ] && [ ! -e "$root/dir" ]
[ "$(stat -c %u:%g:%a "$root/owned")" = 7:8:600 ] && [ "$(stat -c %u "$root/with/one")" = 7 ]
cbuild history app --format json | head -n 1 | grep -q '"Size":"0B"'  # the last RUN changed nothing
