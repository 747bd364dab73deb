"""The files of an image, from an archive that docker load would take."""
import hashlib, io, json, tarfile


class File:
    """One inode: what all its names share."""

    def __init__(self, layer, member):
        self.kind = member.type if not member.isreg() else tarfile.REGTYPE
        self.mode, self.uid, self.gid, self.mtime = member.mode & 0o7777, member.uid, member.gid, int(member.mtime)
        self.target = member.linkname if member.issym() else ""
        self.device = (member.devmajor, member.devminor) if member.ischr() or member.isblk() else ()
        self.content = hashlib.sha256(layer.extractfile(member).read()).hexdigest()[:12] if member.isreg() else ""
        self.capability = member.pax_headers.get("SCHILY.xattr.security.capability", "")


def remove_below(files, directory):
    for path in [p for p in files if p.startswith(directory + "/")]:
        del files[path]


def apply(files, layer):
    members = [(m.name.strip("/").removeprefix("./"), m) for m in layer]
    members = [(name, m) for name, m in members if name not in ("", ".")]
    for name, _ in members:  # whiteouts are about the layers below only
        directory, _, base = name.rpartition("/")
        if base == ".wh..wh..opq":
            remove_below(files, directory)
        elif base.startswith(".wh."):
            hidden = f"{directory}/{base[4:]}".lstrip("/")
            files.pop(hidden, None)
            remove_below(files, hidden)
    for name, member in members:
        if name.rpartition("/")[2].startswith(".wh."):
            continue
        if not member.isdir():
            remove_below(files, name)
        files[name] = files[member.linkname.strip("/").removeprefix("./")] if member.islnk() else File(layer, member)


def read(archive):
    """path -> File of the flattened image."""
    files = {}
    with tarfile.open(archive) as image:
        for name in json.load(image.extractfile("manifest.json"))[0]["Layers"]:
            data = io.BytesIO(image.extractfile(name).read())
            with tarfile.open(fileobj=data, errors="surrogateescape") as layer:
                apply(files, layer)
    return files


def describe(files, now):
    """path -> text with everything that must agree; times from `now` on are those of the build and count as one."""
    names = {}
    for path, file in files.items():
        names.setdefault(id(file), []).append(path)
    lines = {}
    for path, file in files.items():
        group = sorted(names[id(file)])
        time = "now" if file.mtime >= now else str(file.mtime)
        links = "" if len(group) == 1 else " =" + ",".join(group)
        lines[path] = f"{file.kind.decode()} {file.mode:o} {file.uid}:{file.gid} {time} {file.content}{file.target}{file.device or ''}{file.capability!r}{links}"
    return lines
