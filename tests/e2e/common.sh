# Sourced by every script here. Gives it
#   $t          a fresh directory, removed at the end
#   cbuild      the program with a store of its own, $t/store
#   not         succeeds where the command fails
#   exits N     succeeds where the command's exit status is N; output in $t/said
#   real_root   succeeds for the machine's own root
#   skip, need  end the script with status 77 and the reason
# A script fails at its first failing command; what it printed says where.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${CBUILD:=$here/../../build/release/cbuild}"
t=$(mktemp -d "${TMPDIR:-/tmp}/cbuild-e2e.XXXXXX")
mkdir "$t/context"
ended=""  # pids to end at exit

at_exit() {
  status=$?
  for pid in $ended; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  [ "$status" = 0 ] || [ "$status" = 77 ] || echo "failed in $t" >&2
  rm -rf --one-file-system "$t"
}
trap at_exit EXIT

cbuild() { "$CBUILD" --root "$t/store" "$@"; }
not() { if "$@"; then echo "should have failed: $*" >&2; return 1; fi; }
skip() { echo "SKIPPED: $*"; exit 77; }
need() { command -v "$1" >/dev/null || skip "no $1 (Debian package $2)"; }
real_root() { [ "$(id -u)" = 0 ] && [ "$(readlink /proc/self/ns/user)" = "user:[4026531837]" ]; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

exits() {
  want=$1; shift
  status=0
  "$@" >"$t/said" 2>&1 </dev/null || status=$?
  [ "$status" = "$want" ] && return
  cat "$t/said" >&2
  echo "exit status $status, not $want: $*" >&2
  return 1
}
says() { grep -qF -- "$1" "$t/said" || { cat "$t/said" >&2; echo "does not say: $1" >&2; return 1; }; }

# An image "busybox" with all applets, made from Debian's busybox-static.
busybox_base() {  # [NETWORK]
  need /bin/busybox busybox-static
  mkdir -p "$t/busybox"
  cp /bin/busybox "$t/busybox/"
  printf '%s\n' 'FROM scratch' 'COPY busybox /bin/busybox' \
    'RUN ["/bin/busybox", "--install", "-s", "/bin"]' 'RUN mkdir -m 1777 /tmp' \
    >"$t/busybox/Dockerfile"
  cbuild -q -t busybox --network "${1:-none}" "$t/busybox" >/dev/null
}

# A shell command that prints everything below the current directory, one line
# a file, to be run by busybox.
list_tree='find . | sort | while read -r f; do stat -c "%N %f %u:%g %y" "$f"; done; find . -type f | sort | xargs sha256sum'
unpacked() {  # NAME:TAG DIR: an image's files, by umoci
  need umoci umoci
  umoci unpack --image "$t/store:$1" "$t/$2" >/dev/null
}

dockerfile() { cat >"$t/context/Dockerfile"; }
image_id() { cbuild inspect -f '{{.Id}}' "$1"; }

# A registry on the loopback; sets $registry to host:port. Arguments: further
# lines of its configuration's http section, and of its top level.
start_registry() {
  need docker-registry docker-registry
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp:\n  addr: 127.0.0.1:0\n%b\n%b\n' \
    "$t/registry" "${1:-}" "${2:-}" >"$t/registry.yml"
  docker-registry serve "$t/registry.yml" >"$t/registry.log" 2>&1 &
  ended="$ended $!"
  for _ in $(seq 100); do
    registry=$(sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' "$t/registry.log" | head -n 1)
    [ -z "$registry" ] || return 0
    sleep 0.1
  done
  cat "$t/registry.log" >&2
  return 1
}
