. "$(dirname "$0")/common.sh"
# In a user namespace a user is uid 0, and ssh would take root's home.
need git git
mkdir -p "$t/home/.ssh" "$t/bin"; touch "$t/home/.ssh/id_ed25519" "$t/home/.ssh/known_hosts"
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%s/asked\nexit 255\n' "$t" >"$t/bin/ssh"; chmod +x "$t/bin/ssh"
echo 'FROM scratch
ADD git@127.0.0.1:a/b.git /' | dockerfile
export HOME="$t/home" PATH="$t/bin:$PATH" CBUILD_ISOLATION=userns
exits 5 cbuild "$t/context"
for word in "UserKnownHostsFile=\"$t/home/.ssh/known_hosts\"" "IdentityFile=\"$t/home/.ssh/id_ed25519\""; do
  grep -qF "$word" "$t/asked" || { cat "$t/said" "$t/asked"; exit 1; }
done
