#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
mkdir "$t/context/d"
python3 - "$t/context/d" <<'P'
import os, sys
for byte in set(range(1, 256)) - {ord("/")}:
    open(os.fsencode(sys.argv[1]) + b"/n-" + bytes([byte]) + b"-", "w").write(str(byte))
P
printf 'd/n-\303\251*\n' >"$t/context/.dockerignore"
dockerfile <<'D'
FROM busybox AS one
COPY d /d
COPY ["d/n-[a-c]-", "d/n- -", "d/n-#-", "/few/"]
RUN for f in /d/*; do test -f "$f" || exit 1; done; ls /few | wc -l | grep -x 5
FROM busybox
COPY --from=one /d /d
D
cbuild -t app --network none "$t/context"
cbuild -t app --network none "$t/context" 2>&1 | grep ': 0 steps run'
cbuild save -o "$t/app.tar" app
python3 - "$t/app.tar" <<'P'
import json, sys, tarfile
image = tarfile.open(sys.argv[1])
layer = tarfile.open(fileobj=image.extractfile(json.load(image.extractfile("manifest.json"))[0]["Layers"][-1]), errors="surrogateescape")
got = {m.name.encode("utf-8", "surrogateescape"): layer.extractfile(m).read() for m in layer if m.isfile()}
assert got == {b"d/n-" + bytes([b]) + b"-": str(b).encode() for b in set(range(1, 256)) - {47}}, got
P
