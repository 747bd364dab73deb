# Debian packages, and installing those that are missing. Sourced.
build_packages="cmake ninja-build g++ pkg-config libboost-dev libssl-dev
  libcurl4-openssl-dev libarchive-dev libfmt-dev nlohmann-json3-dev libcli11-dev
  libseccomp-dev libdeflate-dev libisal-dev libzstd-dev libyaml-dev catch2
  libcurl4 libarchive13 libisal2"
test_packages="busybox-static python3 strace openssl apache2-utils skopeo umoci
  buildah podman docker-registry mmdebstrap iptables zstd bzip2 xz-utils attr
  clang libclang-rt-14-dev git libarchive-tools uidmap openssh-client
  slirp4netns passt qemu-user-static lld tmux python3-venv iproute2 faketime
  fuse-overlayfs docker.io"

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_missing() {
  command -v dpkg-query >/dev/null || {
    echo "This is not Debian: install what corresponds to: $*" >&2
    return 0
  }
  missing=""
  for package in "$@"; do installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || { echo "all packages are there"; return 0; }
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
    echo "Missing packages, and neither root nor sudo to install them:$missing" >&2
    return 1
  fi
  echo "installing:$missing"
  $sudo apt-get update -qq
  # Without recommended packages: docker's and podman's start services.
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
