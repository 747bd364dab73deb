. "$(dirname "$0")/common.sh"
need_root
busybox_base
case $(uname -m) in x86_64) foreign=s390x ;; *) foreign=riscv64 ;; esac
printf 'FROM scratch\nCOPY Dockerfile /\n' >"$t/context/Dockerfile"
cbuild -t copied --platform linux/$foreign "$t/context"
[ "$(cbuild inspect -f '{{.Architecture}}' copied)" = $foreign ]
printf 'FROM scratch\nCOPY Dockerfile /\nRUN ["/x"]\n' >"$t/context/Dockerfile"
status=0
cbuild --network none --platform linux/$foreign "$t/context" >"$t/said" 2>&1 || status=$?
[ "$status" != 3 ] || skip "an emulator for $foreign is registered here"
[ "$status" = 7 ]
says "cannot run programs for $foreign: this machine is $(uname -m), and no emulator"
says 'install qemu-user-static'
says 'Dockerfile:3'
