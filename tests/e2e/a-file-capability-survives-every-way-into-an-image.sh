#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
need setfattr attr
busybox_base
mkdir "$t/context/d"
cp /bin/busybox "$t/context/d/f"
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 "$t/context/d/f" ||
  skip "no capabilities on this file system"
tar -C "$t/context" --xattrs --xattrs-include='security.*' -cf "$t/context/t.tar" d/f
dockerfile <<'D'
FROM busybox AS one
COPY d/f /copy/file
COPY d /copy/dir
ADD t.tar /add
RUN mv /copy/file /copy/moved && chmod 700 /copy/dir/f
FROM busybox
COPY --from=one /copy/moved /from/file
COPY --from=one --chown=5:6 /copy/dir /from/dir
COPY --from=one /add /from/add
COPY --link --from=one /copy /linked
D
for round in new cached; do
  cbuild -t app --network none "$t/context"
  cbuild save -o "$t/app.tar" app
  python3 - "$t/app.tar" <<'P'
import io, json, sys, tarfile
image = tarfile.open(sys.argv[1])
layers = [io.BytesIO(image.extractfile(name).read()) for name in json.load(image.extractfile("manifest.json"))[0]["Layers"]]
found = {m.name: m.pax_headers.get("SCHILY.xattr.security.capability", "") for layer in layers for m in tarfile.open(fileobj=layer) if m.isfile() and m.size > 1000}
want = ["from/file", "from/dir/f", "from/add/d/f", "linked/moved", "linked/dir/f"]
bad = [n for n in want if found[n].encode("utf-8", "surrogateescape") != b"\1\0\0\2\0\4" + bytes(14)]
sys.exit(f"without their capability: {bad}" if bad else 0)
P
done
