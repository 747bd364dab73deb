. "$(dirname "$0")/common.sh"
# As a user with subordinate ids: newuidmap works, newgidmap does not.
need newuidmap uidmap
grep -q "^$(id -un):" /etc/subuid /etc/subgid || skip "needs a user with subordinate ids"
mkdir "$t/bin"; printf '#!/bin/sh\necho "newgidmap: refused for a test" >&2\nexit 1\n' >"$t/bin/newgidmap"; chmod +x "$t/bin/newgidmap"
echo 'FROM scratch' | dockerfile
PATH="$t/bin:$PATH" exits 0 cbuild --progress plain "$t/context"
says "a user namespace with 65537 user ids and one group id (newgidmap: refused for a test): commands cannot use other groups"
