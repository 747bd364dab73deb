. "$(dirname "$0")/common.sh"
need_root
for tool in skopeo umoci buildah; do need $tool $tool; done
start_registry
busybox_base
dockerfile <<'D'
FROM busybox AS build
RUN echo 'echo built' >/run.sh && chmod 755 /run.sh
FROM busybox
COPY --from=build --chown=5:6 /run.sh /run.sh
CMD ["sh", "/run.sh"]
D
cbuild -t "$registry/app:1" --network none --push "$t/context"
skopeo inspect --tls-verify=false "docker://$registry/app:1" >"$t/inspect"
grep -q "$(cbuild inspect -f '{{.Descriptor.digest}}' "$registry/app:1")" "$t/inspect"
skopeo copy -q --src-tls-verify=false "docker://$registry/app:1" "oci:$t/layout:app"
skopeo copy -q --src-tls-verify=false "docker://$registry/app:1" "docker-archive:$t/app.tar:app:1"
umoci unpack --image "$t/layout:app" "$t/bundle" >/dev/null
[ "$(stat -c %u:%g:%a "$t/bundle/rootfs/run.sh")" = 5:6:755 ]
export STORAGE_DRIVER=vfs
for tool in "--root $t/containers --runroot $t/containers-run"; do
  container=$(buildah $tool from --tls-verify=false "docker://$registry/app:1")
  [ "$(buildah $tool run --isolation chroot "$container" -- sh /run.sh)" = built ]
done
