#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
mkdir "$t/context/d"
touch "$t/context/d/x" "$t/context/y"
ln -s d/x "$t/context/link"
printf '# first\n\nd/x\n' >"$t/context/.dockerignore"
for source in d/x link; do
  printf "FROM busybox\nCOPY $source /\n" | dockerfile
  exits 2 cbuild -t app "$t/context"
  says 'Dockerfile:2:'
  says "\"/$source\": not found ("
  says 'excluded by .dockerignore:3)'
done
printf 'y\n' >"$t/context/Dockerfile.dockerignore"
printf "FROM busybox\nCOPY y /\n" | dockerfile
exits 2 cbuild -t app "$t/context"
says '"/y": not found (excluded by Dockerfile.dockerignore:1)'
exits 0 cbuild context ls --size "$t/context"
says 'y                         Dockerfile.dockerignore:1: y'
says '5 (37B) in the context, 1 (0B) excluded'
exits 0 cbuild context ls --format json -f "$t/context/d/x" "$t/context"
says '{"Path":"d/x","Type":"file","ExcludedBy":".dockerignore:3","Pattern":"d/x"'
