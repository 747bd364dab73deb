# debian_base: an image "debian" with gcc in the script's store, made once with
# mmdebstrap and kept in $CBUILD_TEST_CACHE (~/.cache/cbuild-tests).
debian_base() {
  need mmdebstrap mmdebstrap
  cache=${CBUILD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cbuild-tests}
  mkdir -p "$cache"
  (
    flock 9
    [ -e "$cache/bookworm-gcc.tar" ] ||
      { mmdebstrap --quiet --variant=minbase --include=gcc,libc6-dev,ca-certificates \
          bookworm "$cache/part" --format=tar >"$t/mmdebstrap.log" 2>&1 &&
        mv "$cache/part" "$cache/bookworm-gcc.tar"; }
  ) 9>"$cache/lock" ||
    skip "mmdebstrap cannot reach a Debian mirror: $(tail -n 1 "$t/mmdebstrap.log")"
  mkdir -p "$t/debian"
  ln "$cache/bookworm-gcc.tar" "$t/debian/root.tar" 2>/dev/null ||
    cp "$cache/bookworm-gcc.tar" "$t/debian/root.tar"
  printf 'FROM scratch\nADD root.tar /\nCMD ["bash"]\n' >"$t/debian/Dockerfile"
  cbuild -q -t debian --compression-level fast "$t/debian" >/dev/null
}
