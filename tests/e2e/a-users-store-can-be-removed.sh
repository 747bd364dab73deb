. "$(dirname "$0")/common.sh"
# Files of subordinate ids are in it, which the user cannot remove.
printf 'FROM scratch\nCOPY --chown=33:33 Dockerfile /a/b\n' | dockerfile
cbuild -q -t app "$t/context"; touch "$t/store/mine"
exits 2 cbuild prune --store
exits 2 cbuild prune --store -f --all
cbuild prune --store -f
[ "$(ls "$t/store")" = mine ]
rm "$t/store/mine"; cbuild -q -t app "$t/context"; cbuild prune --store -f; [ ! -e "$t/store" ]
