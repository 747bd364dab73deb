. "$(dirname "$0")/common.sh"
need_root
need skopeo skopeo
need umoci umoci
busybox_base
dockerfile <<'D'
FROM busybox
LABEL read=in-place
RUN echo x >/x
D
cbuild -t app:7 --network none "$t/context"
skopeo inspect "oci:$t/store:app:7" | grep -q '"read": "in-place"'
skopeo copy -q "oci:$t/store:app:7" "dir:$t/copy"
umoci ls --layout "$t/store" | grep -q '^app:7$'
