. "$(dirname "$0")/common.sh"
real_root || skip "needs the machine's own root"
need fuse-overlayfs fuse-overlayfs; [ -c /dev/fuse ] || skip "no /dev/fuse"
export SOURCE_DATE_EPOCH=1700000000
dockerfile <<'D'
FROM busybox AS base
RUN mkdir -p /d/below /gone /anew /links && echo a >/d/file && echo b >/d/below/file && echo c >/gone/file && echo d >/anew/file && chown 7:8 /d/file \
 && echo e >/links/a && ln /links/a /links/b && ln /links/a /links/c && touch /user && chown 1000 /user && find /d /gone /anew /links /user -exec touch -d @1600000000 {} +
FROM base AS top
USER 1000
RUN echo x >>/user && touch -d @1500000000 /user
USER 0
# Each name of a linked file is a file of its own, as with overlayfs.
RUN rm -r /gone /anew && mkdir /anew && echo new >/anew/other && echo more >>/links/a && chmod 700 /links/b && mv /d/below /d/moved && ln /d/file /d/link && cat /links/c && \
  find /anew /links /d -depth -exec touch -d @1500000000 {} +
FROM scratch
COPY --from=top /d /d
COPY --from=top /links /links
COPY --from=top /anew /user /
D
for rung in auto userns:fuse userns:copy; do
  rm -rf "$t/store"; busybox_base
  CBUILD_ISOLATION=$rung cbuild -t app --network none "$t/context"; image_id app >"$t/$rung"
done
cmp "$t/auto" "$t/userns:fuse"; cmp "$t/auto" "$t/userns:copy"
[ -z "$(pgrep -f "fuse-overlayfs.*$t" || true)" ]
