. "$(dirname "$0")/common.sh"
need_root
need git git
need python3 python3-minimal
"$here/../support/make_git_repositories.sh" "$t"
cd "$t/work"
printf 'FROM scratch\nCOPY a dir /d/\nADD x /\n' >Dockerfile
git add . && git -c user.name=t -c user.email=t@t commit -qm build && git push -q ../app.git main
python3 "$here/../support/git_server.py" "$t" >"$t/git.log" &
ended=$!
for _ in $(seq 100); do grep -q port "$t/git.log" 2>/dev/null && break; sleep 0.1; done
url=http://127.0.0.1:$(sed -n 's/^port //p' "$t/git.log")/app.git
cbuild -q -t dir .
for z in '' -z -j -J --zstd; do tar -c $z . | cbuild -q -t tar - >"$t/id"; [ "$(image_id tar)" = "$(image_id dir)" ]; done
cbuild -q -t repo "$url?submodules=0"
[ "$(image_id repo)" = "$(image_id dir)" ]
git -c tar.umask=022 archive HEAD | cbuild -q -t archive -f Dockerfile -
[ "$(image_id archive)" = "$(image_id dir)" ]
printf 'FROM scratch\nLABEL a=b\n' | cbuild -q -t alone -
printf 'FROM scratch\nCOPY --from=repo b /\n' | cbuild -q -t named --build-context "repo=$url#v1:dir" -
exits 2 cbuild -f - -; says "can't use stdin for both"
[ -z "$(ls "$t/store/tmp")" ]
exits 5 cbuild "$url#nowhere"; says 'repository does not contain ref nowhere'
exits 2 cbuild "$url?nonsense=1"; says 'unexpected query "nonsense"'
PATH=$t/none exits 5 "$(command -v "$CBUILD")" --root "$t/store" "$url"; says 'no git program'
