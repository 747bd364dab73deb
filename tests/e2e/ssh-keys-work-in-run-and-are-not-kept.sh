. "$(dirname "$0")/common.sh"
need_root
need ssh-keygen openssh-client
busybox_base
ssh-keygen -q -t ed25519 -N '' -C the-key -f "$t/key"
chmod 644 "$t/key"  # as secrets are often mounted in CI
mkdir "$t/context/client"
for file in $(command -v ssh-add) $(ldd "$(command -v ssh-add)" | grep -o '/[^ ]*'); do
  cp --parents -L "$file" "$t/context/client"
done
dockerfile <<'D'
FROM busybox
COPY client /
RUN mkdir -p /etc && echo 'app:x:1000:1000::/:/bin/sh' >/etc/passwd
USER app
RUN --mount=type=ssh,id=k,required,uid=1000 ssh-add -l | grep the-key
RUN ! ssh-add -l && test -z "$SSH_AUTH_SOCK" && test ! -e /run/buildkit
D
exits 1 cbuild --network none "$t/context"
says 'no SSH key "k"'
cbuild -t app --network none --ssh k="$t/key" "$t/context"
cbuild save -o "$t/app.tar" app
mkdir "$t/out" && tar -xf "$t/app.tar" -C "$t/out"
secret=$(sed -n 2p "$t/key")
not grep -rqF "$secret" "$t/store" "$t/out"
not pgrep -f "ssh-agent -D -a agent"
