. "$(dirname "$0")/common.sh"
need_root
need cc gcc; need python3 python3
busybox_base; rm -rf "$t/store"
cat >"$t/setcap.c" <<'C'
#include <sys/xattr.h>
int main(int argc, char** argv) {  // net_raw, effective; in a user namespace the kernel makes it one of that namespace
  static const unsigned char value[20] = {1, 0, 0, 2, 0, 0x20};
  return argc != 2 || setxattr(argv[1], "security.capability", value, sizeof value, 0) != 0;
}
C
cc -static -o "$t/context/setcap" "$t/setcap.c" 2>"$t/said" || skip "no static C library: $(head -n 1 "$t/said")"
dockerfile <<'D'
FROM busybox
COPY setcap /
RUN cp /bin/busybox /tool && /setcap /tool && cp /bin/busybox /other && chown 5:6 /other && /setcap /other
RUN mv /other /moved && chmod 711 /moved
D
for rung in root userns; do
  rm -rf "$t/store"; export CBUILD_ISOLATION=$rung
  busybox_base
  cbuild -t app --network none "$t/context"
  cbuild save -o "$t/app.tar" app
  python3 - "$t/app.tar" <<'P'
import io, json, sys, tarfile
image = tarfile.open(sys.argv[1])
layers = [io.BytesIO(image.extractfile(name).read()) for name in json.load(image.extractfile("manifest.json"))[0]["Layers"]]
found = {m.name: m.pax_headers.get("SCHILY.xattr.security.capability", "") for layer in layers for m in tarfile.open(fileobj=layer)}
for name in "tool", "other", "moved":
    assert found[name].encode("utf-8", "surrogateescape") == b"\1\0\0\2\0\x20" + bytes(14), (name, found[name])
P
done
