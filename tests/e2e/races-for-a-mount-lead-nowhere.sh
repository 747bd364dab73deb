. "$(dirname "$0")/common.sh"
: "${network:=none}" "${rounds:=3000}"  # a script for another rung sets them
[ $network = none ] || real_root || skip "needs the machine's own root"
busybox_base $network
mkdir -p "$t/victim/b/c" "$t/victim/sub"; echo mine >"$t/victim/file"
# What is cleaned up below mount points is not followed out (CVE-2024-23652).
dockerfile <<D
FROM busybox
RUN --mount=type=tmpfs,target=/a/b/c mv /a /moved && ln -s $t/victim /a
D
cbuild -t app --network $network "$t/context"
[ -d "$t/victim/b/c" ]
# A source or seed that is a link is one of its own image; a target too (CVE-2024-1753).
dockerfile <<D
FROM busybox AS evil
RUN ln -s $t/victim /link && mkdir -p $t/victim && echo image >$t/victim/file
FROM busybox
RUN --mount=type=bind,from=evil,source=/link,target=/in --mount=type=cache,from=evil,source=/link,target=/cache,id=seed-$$ [ "\$(cat /in/file /cache/file | uniq)" = image ]
RUN ln -s $t/victim /out
RUN --mount=type=tmpfs,target=/out/sub touch /out/sub/x
D
cbuild --network $network "$t/context"
# Two RUNs share a cache, and one swaps a directory for a link while the other mounts in it (CVE-2024-23651).
dockerfile <<D
FROM busybox AS swap
RUN --mount=type=cache,target=/c n=0; while [ ! -e /c/stop ] && [ \$n -lt $rounds ]; do n=\$((n+1)); rm -rf /c/d; ln -s $t/victim /c/d; rm -f /c/d; mkdir -p /c/d; done
FROM busybox
$(for i in $(seq 12); do echo "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/c/d/sub$i touch /c/d/sub$i/x || true"; done)
RUN --mount=type=cache,target=/c touch /c/stop
COPY --from=swap /etc /swap
D
cbuild --network $network "$t/context" >"$t/said" 2>&1 || grep -q 'RUN' "$t/said"  # it may lose the race
[ "$(cat "$t/victim/file")" = mine ] && [ "$(cd "$t/victim" && find . | sort | tr '\n' ' ')" = ". ./b ./b/c ./file ./sub " ]
