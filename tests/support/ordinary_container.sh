# Sourced by end-to-end scripts, after common.sh. Gives them
#   contained UID [OPTIONS]   runs $t/context/inside by sh with two directories, $t/context
#                             and one to write to, as that user of an ordinary container:
#                             of docker with OPTIONS, or, where no engine can run, under
#                             docker's default capabilities and a seccomp filter
#   engine                    docker, or model
image=$t/image  # its files: cbuild, its libraries and busybox
make_image() {
  archive=$(ldconfig -p | sed -n 's/.*libarchive.so.13 .*=> //p')
  for file in "$archive" $(ldd "$CBUILD" "$archive" | grep -o '/[^ :]*' | sort -u) /bin/busybox; do
    install -D "$file" "$image$file"
  done
  cp "$CBUILD" "$image/bin/cbuild"; ln -s busybox "$image/bin/sh"
  mkdir -p "$image/usr/lib/locale" "$image/etc"; cp -r /usr/lib/locale/C.utf8 "$image/usr/lib/locale/"
  mkdir -p -m 1777 "$image/tmp"; chmod 1777 "$image/tmp"; echo 'root:x:0:0::/:/bin/sh' >"$image/etc/passwd"
}
docker() { command docker -H "unix://$t/sock" "$@"; }
start_docker() {
  command -v dockerd >/dev/null || return 1
  dockerd --iptables=false --bridge=none --data-root "$t/docker" --exec-root "$t/exec" --pidfile "$t/pid" -H "unix://$t/sock" >"$t/log" 2>&1 &
  ended="$ended $!"
  for _ in $(seq 50); do ! docker info >/dev/null 2>&1 || break; sleep 0.1; done
  for _ in 1 2 3; do ! tar -C "$image" -c . | docker import - ordinary >/dev/null || return 0; sleep 1; done
  return 1
}
docker_contained() {
  docker run --rm --network none --user "$@" -e SOURCE_DATE_EPOCH -v "$t/context:/context:ro" ordinary sh /context/inside /context /tmp
}
model_contained() {
  bounds=+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap
  mkdir -m 777 "$t/tmp/$1"  # unshare, mount, setns, fsopen, open_tree, clone3
  PATH=$image/bin:$PATH setpriv --bounding-set=-all,$bounds --reuid="$1" --clear-groups \
    /usr/bin/python3 "$t/context/refuse.py" 272,165,308,430,428,435 sh "$t/context/inside" "$t/context" "$t/tmp/$1"
}
make_image
if start_docker; then
  engine=docker
  echo "in a container of docker $(docker version -f '{{.Server.Version}}')"
else
  engine=model
  echo "no container engine runs here: docker's default capabilities, and a seccomp filter without namespaces and mounts"
  chmod 755 "$t"; mkdir -m 1777 "$t/tmp"; cp "$here/../support/refuse.py" "$t/context"
fi
contained() { ${engine}_contained "$@"; }
