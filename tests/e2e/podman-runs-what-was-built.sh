. "$(dirname "$0")/common.sh"
need_root
need podman podman
busybox_base
dockerfile <<'D'
FROM busybox
RUN mkdir -p /etc && echo 'me:x:77:77::/:/bin/sh' >/etc/passwd
USER me
ENTRYPOINT ["id", "-un"]
D
cbuild -t app --network none "$t/context"
cbuild save -o "$t/app.tar" app
podman() { command podman --runtime "$(command -v runc || command -v crun)" --root "$t/pod" --runroot "$t/pod-run" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
podman load -q -i "$t/app.tar"
podman run --rm --network none --cgroups disabled --ulimit host app >"$t/out" 2>"$t/err" ||
  skip "podman cannot run containers here: $(tail -n 1 "$t/err")"
[ "$(cat "$t/out")" = me ]
