# Network namespaces: the registry's, with a link to each runner's. The second
# runner is another user with another umask, path and clock.
. "$(dirname "$0")/common.sh"
need_root
need ip iproute2
need docker-registry docker-registry
need setpriv util-linux
busybox_base
space() { unshare -n sleep 600 & eval "$1=$!"; ended="$ended $!"; }
inside() { nsenter -t "$1" -n "${@:2}"; }
space hub; space one; space two
sleep 0.2
inside $hub ip link set lo up
for n in 1 2; do
  runner=$one; [ $n = 1 ] || runner=$two
  inside $hub ip link add run$n type veth peer name net0 netns $runner || skip "no veth here"
  inside $hub ip addr add 10.213.$n.1/24 dev run$n && inside $hub ip link set run$n up
  inside $runner ip addr add 10.213.$n.2/24 dev net0 && inside $runner ip link set net0 up
  inside $runner ip link set lo up
done
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: ":5000"}\n' "$t/registry" >"$t/registry.yml"
nsenter -t $hub -n docker-registry serve "$t/registry.yml" >"$t/registry.log" 2>&1 &
ended="$ended $!"
for _ in $(seq 100); do grep -q 'listening on' "$t/registry.log" && break; sleep 0.1; done
git init -q "$t/context" && echo words >"$t/context/src"
printf 'ARG REGISTRY\nFROM $REGISTRY/base AS make\nCOPY src /src\nRUN cat /src >/out\nFROM $REGISTRY/base\nCOPY --from=make /out /out\nRUN wc -c /out\n' >"$t/context/Dockerfile"
cbuild tag busybox 10.213.1.1:5000/base
inside $one "$CBUILD" --root "$t/store" push -q --insecure 10.213.1.1:5000/base
build() { echo "-t app --network none --insecure --context-mode=git --build-arg REGISTRY=$1 --cache-$2 type=registry,ref=$1/cache:app"; }
inside $one "$CBUILD" --root "$t/store" build $(build 10.213.1.1:5000 to),mode=max "$t/context"
chmod 711 "$t" && mkdir -m 777 "$t/other"
clock=""; ! command -v faketime >/dev/null || clock="faketime -f +400d"
cat >"$t/second" <<S
umask 077; export HOME=$t/other; cp -r $t/context $t/other/elsewhere
exec $clock $CBUILD --root $t/other/store build $(build 10.213.2.1:5000 from) --expect-cached $t/other/elsewhere
S
inside $two setpriv --reuid=65534 --regid=65534 --clear-groups bash "$t/second"
layers() { "$@" inspect -f '{{json .RootFS.Layers}}' app; }
[ "$(layers cbuild)" = "$(layers setpriv --reuid=65534 --regid=65534 --clear-groups "$CBUILD" --root "$t/other/store")" ]
