#!/bin/sh
# Makes app.git and sub.git in a directory, the same each time:
#   main  a = "two", x (executable), link -> a, dir/b, submodule sub (../sub.git)
#   dev   a = "dev";  v1  annotated tag of the commit before, a = "one"
set -eu
cd "$1"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
export GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000'
git init -q -b main work-sub
(cd work-sub; echo inner >inner; git add .; git commit -qm sub)
git clone -q --bare work-sub sub.git
git init -q -b main work
cd work
mkdir dir
echo one >a; echo b >dir/b; echo run >x; chmod 755 x; ln -s a link
git add .; git commit -qm one; git tag -am v1 v1
git -c protocol.file.allow=always submodule --quiet add ../sub.git sub
echo two >a; git add .; git commit -qm two
git checkout -q -b dev; echo dev >a; git commit -qam dev; git checkout -q main
cd ..
git clone -q --bare work app.git
git -C app.git symbolic-ref HEAD refs/heads/main
for r in app sub; do git -C $r.git config uploadpack.allowAnySHA1InWant true; done
