. "$(dirname "$0")/common.sh"
# Docker's default seccomp filter and capabilities allow no namespace and no
# mount: chroot for a container's root, and no RUN for its users.
real_root || skip "needs the machine's own root"; need /bin/busybox busybox-static; need python3 python3; need setpriv util-linux
export SOURCE_DATE_EPOCH=1700000000
mkdir -p "$t/context/tree/bin"; cp /bin/busybox "$t/context/tree/bin"; touch -d @1600000000 "$t/context/tree/bin"; printf word >"$t/context/word"
dockerfile <<'D'
FROM scratch AS base
COPY tree /
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && mkdir -m 1777 /tmp && find /bin /tmp -exec touch -h -d @1600000000 {} +"]
FROM base
RUN --mount=type=cache,target=/cache --mount=type=secret,id=s,env=S --mount=target=/in --mount=type=tmpfs,target=/srv/t \
  echo "$S" >/cache/kept && touch /srv/t/x && cp /in/Dockerfile /a && chown 7:8 /a && echo hi >/dev/null && touch -d @1600000000 /a
RUN --mount=type=cache,target=/cache test "$(cat /cache/kept)" = word && rm -r /tmp && mkdir /tmp && touch -d @1600000000 /tmp
D
printf 'FROM scratch\nCOPY --chown=7:8 tree /\nFROM scratch\nCOPY tree/bin /\nCOPY --from=0 /bin /\nWORKDIR /d\n' >"$t/context/files"
cat >"$t/context/inside" <<'S'
build() { cbuild --root "$2/store" -q --network host --secret id=s,src="$1/word" -f "$1/$3" "$1"; }
build "$1" "$2" files
build "$1" "$2" Dockerfile || echo "status $?"
cbuild --root "$2/store" doctor || true
S
. "$here/../support/ordinary_container.sh"
for file in files Dockerfile; do cbuild -q --network host --secret id=s,src="$t/context/word" -f "$t/context/$file" "$t/context"; done >"$t/want"
contained 0 >"$t/root" 2>"$t/root-err" || { cat "$t/root-err"; exit 1; }
head -n 2 "$t/root" | diff "$t/want" - || { cat "$t/root-err"; exit 1; }
grep -q "isolation: chroot only" "$t/root"
contained 1000 >"$t/user" 2>"$t/said"
head -n 1 "$t/want" | diff - <(head -n 1 "$t/user") || { cat "$t/said"; exit 1; }
grep -q "^status 7" "$t/user"; says "nor chroot without CAP_SYS_CHROOT"
# Without the filter there are namespaces, but parts of /proc are masked.
[ $engine = docker ] || exit 0
contained 0 --security-opt seccomp=unconfined >"$t/masked" 2>"$t/said"
head -n 2 "$t/masked" | diff "$t/want" - && says "parts of /proc are masked" || { cat "$t/said"; exit 1; }
