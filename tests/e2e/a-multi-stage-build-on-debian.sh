. "$(dirname "$0")/common.sh"
. "$here/../support/debian.sh"
need_root
debian_base
start_registry
cbuild tag debian "$registry/debian:12"
cbuild push -q "$registry/debian:12"
cat >"$t/context/hello.c" <<'C'
#include <stdio.h>
int main(void) { puts("hello from a stage"); return 0; }
C
cat >"$t/context/Dockerfile" <<D
FROM $registry/debian:12 AS build
WORKDIR /src
COPY hello.c .
RUN gcc -O2 -static -o hello hello.c && ./hello
FROM scratch
COPY --from=build /src/hello /hello
ENTRYPOINT ["/hello"]
D
cbuild -t "$registry/hello:1" --network none --push "$t/context"
rm -rf "$t/store"
printf 'FROM %s/hello:1\nRUN ["/hello"]\n' "$registry" | dockerfile
cbuild --network none --progress plain "$t/context" 2>&1 | grep 'hello from a stage'
