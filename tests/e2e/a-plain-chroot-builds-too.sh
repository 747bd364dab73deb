. "$(dirname "$0")/common.sh"
# A directory entered by chroot(1) alone is no mount: no RUN can be pivoted out of it.
real_root || skip "needs the machine's own root"
need /bin/busybox busybox-static
root=$t/machine
mkdir -p "$root"/{bin,dev,proc,tmp,context,usr/lib/locale}
cp -r /usr/lib/locale/C.utf8 "$root/usr/lib/locale/"
cp /bin/busybox "$root/bin/"; cp "$CBUILD" "$root/bin/cbuild"; cp /bin/busybox "$root/context/"
archive=$(ldconfig -p | sed -n 's/.*libarchive\.so\.13 .*=> //p' | head -n 1)  # loaded when it is wanted
for library in $archive $(ldd "$CBUILD" "$archive" | grep -o '/[^ :]*\.so[^ :]*' | sort -u); do
  mkdir -p "$root${library%/*}"; cp -n "$library" "$root$library"
done
mknod -m 666 "$root/dev/null" c 1 3
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"; at_exit' EXIT
printf 'FROM scratch\nCOPY busybox /\nRUN ["/busybox", "touch", "/made"]\n' >"$root/context/Dockerfile"
inside() { chroot "$root" /bin/cbuild --root /store "$@"; }
CBUILD_ISOLATION=auto exits 0 inside --network host -t app /context
says "isolation: chroot only, as no namespace is allowed here (/ is a chroot's, and no mount: bind it on itself before)"
CBUILD_ISOLATION=root exits 7 inside --no-cache --network host /context
