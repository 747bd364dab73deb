. "$(dirname "$0")/common.sh"
need_root
need buildah buildah
need /bin/busybox busybox-static
start_registry
export STORAGE_DRIVER=vfs
buildah="buildah --root $t/containers --runroot $t/containers-run"
container=$($buildah from scratch)
mkdir -p "$t/root/bin"
cp /bin/busybox "$t/root/bin/"
for applet in sh cat echo; do ln -s busybox "$t/root/bin/$applet"; done
$buildah copy -q "$container" "$t/root" / >/dev/null
$buildah config --env BASE=buildah --workingdir /work "$container"
for format in docker oci; do
  $buildah commit -q --format $format "$container" base >/dev/null
  $buildah push -q --tls-verify=false base "docker://$registry/base:$format"
  printf 'FROM %s/base:%s\nRUN echo "$BASE $PWD" >/made\n' "$registry" $format | dockerfile
  cbuild -t app --network none "$t/context"
  cbuild save --format oci-archive -o "$t/app.tar" app
  [ "$(cbuild inspect -f '{{index .Config.Env 1}}' app)" = BASE=buildah ] ||
    cbuild inspect -f '{{json .Config.Env}}' app | grep -q BASE=buildah
done
