. "$(dirname "$0")/common.sh"
need_root
need slirp4netns slirp4netns; need pasta passt; need python3 python3; need /bin/busybox busybox-static; need ip iproute2
chmod 755 "$t" "$t/context"; cp "$CBUILD" "$t/cbuild"; cp /bin/busybox "$t/context/"; export t
mkdir "$t/www" "$t/none" "$t/pasta"; echo outside >"$t/www/index.html"; echo 'nameserver 127.0.0.1' >"$t/resolv.conf"
ln -s "$(command -v pasta)" "$t/pasta/"
mknod -m 666 "$t/tun" c 10 200; (: <>"$t/tun") 2>/dev/null || skip "/dev/net/tun cannot be opened here"
cat >"$t/dns" <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53))
while True:  # every name is the server's, and has no address of version 6
    q, who = s.recvfrom(512); four = q[-4:-2] == b"\0\1"
    s.sendto(q[:2] + b"\x81\x80" + q[4:6] + (b"\0\1" if four else b"\0\0") + b"\0\0\0\0" + q[12:] + (b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + bytes([203, 0, 113, 1]) if four else b""), who)
P
dockerfile <<'D'
FROM scratch
COPY busybox /
ENV PATH=/
SHELL ["busybox", "sh", "-c"]
RUN busybox wget -qO by-address http://203.0.113.1/ && busybox nslookup some.name | busybox grep 203.0.113.1 && busybox touch -d @1 by-address
RUN for host in 127.0.0.1 10.0.2.2; do ! busybox timeout 1 busybox wget -qO x http://$host:81/ || exit 9; done; busybox rm -f x
RUN [ "$(busybox cat by-address)" = outside ] && [ $(busybox wc -l </proc/net/unix) -le 1 ]
D
cat >"$t/inside" <<'I'
set -eu
mount --bind "$t/tun" /dev/net/tun; mount --bind "$t/resolv.conf" /etc/resolv.conf
ip link set lo up; ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 203.0.113.1/32 dev lo; ip addr add 198.51.100.1/24 dev d0; ip link set d0 up; ip route add default via 198.51.100.2
busybox httpd -p 203.0.113.1:80 -h "$t/www"; busybox httpd -p 127.0.0.1:81 -h "$t/www"; python3 "$t/dns" &
until busybox wget -qO /dev/null http://203.0.113.1/ && busybox wget -qO /dev/null http://127.0.0.1:81/ && busybox nslookup some.name >/dev/null; do sleep 0.1; done 2>/dev/null
user() { setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$1" SOURCE_DATE_EPOCH=1 "$t/cbuild" --root "$t/store-$2" "$t/context" -t a --progress plain; }
for way in "$PATH" "$t/pasta"; do
  name=$(basename "$way"); mkdir -m 777 "$t/store-$name"
  user "$way" "$name" 2>"$t/said" || { cat "$t/said"; exit 1; }
  setpriv --reuid=65534 --regid=65534 --clear-groups "$t/cbuild" --root "$t/store-$name" inspect -f '{{.Id}}' a >>"$t/ids"
done
[ "$(sort -u "$t/ids" | wc -l)" = 1 ]
mkdir -m 777 "$t/store-none"; if user "$t/none" none 2>"$t/said"; then cat "$t/said"; exit 1; fi
grep -q 'slirp4netns: not installed; pasta: not installed' "$t/said"
printf 'FROM scratch\nCOPY busybox /\nRUN ["/busybox", "sleep", "60"]\n' >"$t/context/Dockerfile"
user "$PATH" bin & build=$!
until pidof slirp4netns sleep >/dev/null; do sleep 0.1; done
kill -9 "$(pidof cbuild | tr ' ' '\n' | sort -n | head -1)" "$build" 2>/dev/null || true
for _ in $(seq 50); do pidof slirp4netns pasta sleep >/dev/null || exit 0; sleep 0.1; done; ps ax; exit 1
I
unshare -nmpf --mount-proc sh "$t/inside"
