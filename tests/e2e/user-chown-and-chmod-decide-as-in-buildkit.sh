#!/usr/bin/env bash
. "$(dirname "$0")/common.sh"
need_root
mkdir "$t/context/etc"
echo app:x:1000:1001::/:/bin/sh >"$t/context/etc/passwd"
echo file >"$t/context/f"
chmod 604 "$t/context/f"
tar -C "$t/context" --owner=7 --group=8 -cf "$t/context/t" f
printf 'FROM scratch\nCOPY etc /etc\n' | dockerfile
n=0
# USER has a say in WORKDIR only, --chmod none in what an archive holds; a directory made on the way is as octal --chmod says.
for user in 0 app 77:88; do for own in "" 5:6 app; do for mode in "" 640 4711 u+x,go=; do
  flags="${own:+--chown=$own }${mode:+--chmod=$mode }"
  case $own in "") owner=0:0 packed=7:8 ;; app) owner=1000:1001 packed=$owner ;; *) owner=$own packed=$own ;; esac
  case $mode in "") file=604 made=755 ;; u+x,go=) file=700 made=755 ;; *) file=$mode made=${mode#4} ;; esac
  case $user in 0) here=0:0 ;; app) here=1000:1001 ;; *) here=$user ;; esac
  link=--link
  test "$own" != app || link=  # there are no names below --link
  printf '%s\n' "USER $user" "COPY $flags f /$n/a/f" "ADD $flags f /$n/b/f" "COPY $flags$link f /$n/c/f" "ADD $flags t /$n/t" "WORKDIR /$n/w" >>"$t/context/Dockerfile"
  for p in a b c; do printf '%s\n' "$n/$p $made $owner" "$n/$p/f $file $owner"; done >>"$t/want"
  printf '%s\n' "$n/t 755 ${own:+$owner}" "$n/t/f 604 $packed" "$n/w 755 $here" | sed 's/ 755 $/ 755 0:0/' >>"$t/want"
  n=$((n + 1))
done; done; done
for mask in 000 077; do
  (umask $mask; cbuild -q -t app --network none --no-cache "$t/context" >/dev/null)
  unpacked app:latest out$mask
  (cd "$t/out$mask/rootfs" && cut -d' ' -f1 "$t/want" | xargs stat -c '%n %a %u:%g') | diff "$t/want" -
done
