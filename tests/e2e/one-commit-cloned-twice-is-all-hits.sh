#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
need git git
busybox_base
mkdir -p "$t/upstream/src/deep"
cd "$t/upstream"
git init -q && git config user.email a@b && git config user.name a
printf '#!/bin/sh\n' >src/tool && chmod 755 src/tool
echo text >src/deep/text && ln -s deep/text src/link
printf '%s\n' 'FROM busybox' 'COPY . /all' 'COPY --chown=5:6 src /src' \
  'RUN stat -c "%n %f %u:%g" /all/src /all/src/* /src/tool' >Dockerfile
echo .git >.dockerignore
git add -A && git commit -qm one
build() { cbuild build --progress plain -t app --network none "$@" 2>&1; }
(umask 002 && git clone -q . "$t/a")
(umask 077 && mkdir "$t/far" && git clone -q . "$t/far/b")
chown -R 1000:1000 "$t/far/b"
find "$t/far/b" -exec touch -h -d @1400000000 {} +
build --context-mode=git "$t/a" | grep -E '^#[0-9]+ [0-9.]+ /' | sed 's/^[^/]*//' >"$t/modes"
diff "$t/modes" - <<'M'
/all/src 41ed 0:0
/all/src/deep 41ed 0:0
/all/src/link a1ff 0:0
/all/src/tool 81ed 0:0
/src/tool 81ed 5:6
M
build --context-mode=git "$t/far/b" | grep ': 0 steps run'
build "$t/a" >/dev/null
build "$t/far/b" | not grep ': 0 steps run'
