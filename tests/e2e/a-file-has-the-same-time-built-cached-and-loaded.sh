#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
busybox_base
echo from-context >"$t/context/c"
touch -d @1500000000.123456789 "$t/context/c"
dockerfile <<'D'
FROM busybox AS base
COPY c /w/c
RUN echo made >/w/made && touch -d @1400000000 /w/old && ln -s c /w/link
FROM base
ARG AGAIN
RUN stat -c '%n %y' /w /w/*
D
times() { cbuild build --progress plain --network none "$@" 2>&1 | sed -n 's/^#[0-9]* [0-9.]* \(\/w.*\)/\1/p'; }
times -t app "$t/context" >"$t/built"
grep '/w/c .*\.123456789' "$t/built"
times -t app --build-arg AGAIN=1 "$t/context" | cmp "$t/built" -  # its base is cached
cbuild -q -t base --target base --network none "$t/context" >/dev/null
cbuild save -o "$t/base.tar" base
rm -rf "$t/store"
cbuild load -q -i "$t/base.tar"
printf 'FROM base\nRUN stat -c "%%n %%y" /w /w/*\n' | dockerfile
times -t other "$t/context" | cmp "$t/built" -
