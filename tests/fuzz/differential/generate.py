"""From a seed, a build context and a Dockerfile of file operations."""
import io, os, random, stat, tarfile

# Only met inside what is copied, never named.
ODD = ["new\nline", "back\\slash", "\udcff", "quo\"te", " ", "-", "...", "$V", "*", "n" * 255]
NAMES = ["a", "b", "c.txt", "d", ".h", "e f", "\u00fc", "k[1]", "n-1", "zz"]
MODES = [0o644, 0o600, 0o755, 0o4755, 0o2711, 0o640, 0o444]
DIR_MODES = [0o755, 0o700, 0o2755, 0o1777, 0o711]
CAPABILITY = b"\1\0\0\2\0\4" + bytes(14)  # net_bind_service, effective
OWNERS = ["5:6", "7", "1000:0", "app", "app:staff", "nobody:77", "root"]
PLACES = ["/o/", "/o", "/o/x", "/p/q/", "/l/", "/l", "/l/y", "rel/", ".", "./r", "/o/d", "/o/a", "/dangling/", "/w/../p/"]


def is_pattern(source):
    return any(c in source for c in "*?[")


class Case:
    """`extended` also uses what only newer builders know: --link, --parents, --exclude, --unpack, heredocs, symbolic --chmod, flags of an
    ADD of an archive, odd names, devices, and names of users where there is no passwd file. `many_to_directory`: what may be several sources
    goes to a directory."""

    def __init__(self, seed, extended, many_to_directory):
        self.random, self.extended, self.many_to_directory = random.Random(seed), extended, many_to_directory
        self.paths, self.directories, self.archives = [], [""], []

    def one_in(self, n):
        return self.random.randrange(n) == 0

    def pick(self, some):
        return self.random.choice(some)

    def time(self):
        return self.random.randrange(1, 1_600_000_000)

    # The context.

    def content(self):
        return self.pick([b"", b"same\n", self.random.randbytes(self.random.randrange(2000))])

    def write_context(self, root):
        self.root = root
        os.mkdir(root)
        for _ in range(self.random.randrange(4, 22)):
            self.add_entry()
        for i in range(self.random.randrange(0, 3)):
            self.add_archive(f"t{i}")
        if self.one_in(4):
            with open(root + "/.dockerignore", "w") as f:
                f.write("\n".join(self.ignore_lines()) + "\n")
        for path in sorted(self.paths + self.directories, key=len, reverse=True):
            time = self.time()
            os.utime(f"{root}/{path}", (time, time), follow_symlinks=False)

    def add_entry(self):
        parent = self.pick(self.directories)
        odd = self.extended and parent and self.one_in(8)
        path = f"{parent}/{self.pick(ODD if odd else NAMES)}".lstrip("/")
        full = f"{self.root}/{path}"
        if os.path.lexists(full) or path.count("/") > 3:
            return
        files = [p for p in self.paths if os.path.isfile(f"{self.root}/{p}") and not os.path.islink(f"{self.root}/{p}")]
        kind = self.random.randrange(10)
        if kind < 3:
            os.mkdir(full)
            os.chmod(full, self.pick(DIR_MODES))
            self.directories.append(path)
        elif kind < 5:
            os.symlink(self.pick(NAMES + ["../a", "/d/a", "nowhere", "..", "../../../b"]), full)
            self.paths.append(path)
        elif kind == 5 and files:
            os.link(f"{self.root}/{self.pick(files)}", full)
            self.paths.append(path)
        elif kind == 6 and self.extended and self.one_in(3):
            os.mknod(full, self.pick([stat.S_IFIFO, stat.S_IFCHR]), os.makedev(1, 3))
            os.chmod(full, self.pick(MODES))
            self.paths.append(path)
        else:
            with open(full, "wb") as f:
                f.write(self.content())
            os.chmod(full, self.pick(MODES))
            self.add_xattrs(full)
            self.paths.append(path)

    def add_xattrs(self, full):
        if self.one_in(8):
            os.setxattr(full, "security.capability", CAPABILITY)
        if self.one_in(8):
            os.setxattr(full, "user.note", self.random.randbytes(5))

    def add_archive(self, name):
        kind = self.pick(["", "gz", "bz2", "xz"])
        with tarfile.open(f"{self.root}/{name}", f"w:{kind}", format=tarfile.PAX_FORMAT) as archive:
            seen = {}
            for _ in range(self.random.randrange(1, 8)):
                self.add_member(archive, seen)
        self.paths.append(name)
        self.archives.append(name)

    def add_member(self, archive, seen):
        directories = [""] + [p for p, kind in seen.items() if kind == tarfile.DIRTYPE]
        files = [p for p, kind in seen.items() if kind == tarfile.REGTYPE]
        member = tarfile.TarInfo(f"{self.pick(directories)}/{self.pick(NAMES)}".lstrip("/"))
        if member.name in seen:
            return
        member.type = self.pick([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE if files else tarfile.REGTYPE])
        member.mode = self.pick(DIR_MODES if member.type == tarfile.DIRTYPE else MODES)
        member.uid, member.gid, member.mtime = self.pick([0, 5, 1000]), self.pick([0, 6]), self.time()
        content = self.content() if member.type == tarfile.REGTYPE else b""
        member.size = len(content)
        if member.type == tarfile.REGTYPE and self.one_in(4):
            member.pax_headers = {"SCHILY.xattr.security.capability": CAPABILITY.decode(), "SCHILY.xattr.user.note": "n"}
        if member.type == tarfile.SYMTYPE:
            member.linkname = self.pick(NAMES + ["../a", "/o"])
        if member.type == tarfile.LNKTYPE:
            member.linkname = self.pick(files)
            for n in ("mode", "uid", "gid", "mtime", "pax_headers"):
                setattr(member, n, getattr(archive.getmember(member.linkname), n))
        archive.addfile(member, io.BytesIO(content))
        seen[member.name] = member.type

    def ignore_lines(self):
        patterns = NAMES[:4] + ["*.txt", "**/a", "d/*", "?", "**/*.txt", "[a-c]", "d/**"]
        return [self.pick(["", "", "!"]) + self.pick(patterns) for _ in range(self.random.randrange(1, 4))]

    # The Dockerfile.

    def dockerfile(self):
        lines, self.stages, self.without_shell = [], [], {"scratch"}
        if self.extended:  # BuildKit sends of a context what sources ask for, and goes by what it sent
            lines += ["FROM scratch AS whole", "COPY . /"]
        for i in range(self.random.randrange(1, 4)):
            base = self.pick(["fuzzbase", "fuzzbase", "scratch"] + self.stages)
            self.shell = base not in self.without_shell
            if not self.shell:
                self.without_shell.add(f"s{i}")
            lines.append(f"FROM {base} AS s{i}")
            for _ in range(self.random.randrange(1, 7)):
                lines.append(self.step())
            if self.extended:
                lines.append("COPY --from=whole /no-such* /")
            lines.append(f"LABEL stage={i}")
            self.stages.append(f"s{i}")
        return "\n".join(lines) + "\n"

    def step(self):
        kind = self.random.randrange(10)
        if kind < 3 and self.shell:
            return "RUN " + "; ".join(self.command() for _ in range(self.random.randrange(1, 5))) + "; true"
        if kind == 3:
            return "WORKDIR " + self.pick(["/w", "sub", "/o/d", "/"])
        if kind == 4 and self.extended:
            return f"COPY {self.flags('heredoc')}<<E {self.pick(PLACES)}\ntext\nE"
        return self.copy()

    def copy(self):
        add = self.one_in(3)
        if self.stages and not add and self.one_in(2):
            sources = [self.pick(["/o*", "/o*/*", "/p*", "/etc/pass*", "/o*/d", "/w*", "/l*", "/"])]
            return self.words("COPY", f"--from={self.pick(self.stages)} {self.flags('from')}", sources, self.place(sources))
        sources = [self.source() for _ in range(self.pick([1, 1, 1, 2]))]
        plain = add and not self.extended and any(self.may_be_archive(source) for source in sources)
        return self.words("ADD" if add else "COPY", "" if plain else self.flags("add" if add else "copy"), sources, self.place(sources))

    def may_be_archive(self, source):
        return source in self.archives or is_pattern(source)

    def place(self, sources):
        several = len(sources) > 1 or any(is_pattern(source) for source in sources)
        return self.pick([p for p in PLACES if p.endswith(("/", "."))] if several and self.many_to_directory else PLACES)

    def source(self):
        """Mostly what is there: a link may lead nowhere, and that ends the build."""
        if self.archives and self.one_in(3):
            return self.pick(self.archives)
        known = [p for p in self.paths + self.directories if p and not any(name in p.split("/") for name in ODD)]
        sure = [p for p in known if not os.path.islink(f"{self.root}/{p}")]
        some = known if self.one_in(12) else sure
        path = self.pick(some) if some and not self.one_in(4) else self.pick([".", "?", "[ab]*", "*/[ab]", "*.txt", "**/a"])
        return path.replace("[1]", "?1?")

    def words(self, instruction, flags, sources, destination):
        if "--parents" in flags and self.one_in(3):  # a pivot
            sources = [source.replace("/", "/./", 1) for source in sources]
        quoted = ", ".join(f'"{word}"' for word in sources + [destination])
        return f"{instruction} {flags}[{quoted}]"

    def flags(self, kind):
        """`kind`: "copy", "from", "add", "heredoc"."""
        flags = ""
        link = self.extended and self.one_in(5)
        named = self.extended or self.shell
        if self.one_in(3):
            flags += f"--chown={self.pick(OWNERS if named and not link else OWNERS[:3])} "
        if self.one_in(4) and (self.extended or kind in ("copy", "from")):
            flags += f"--chmod={self.pick(['755', '640', '4711', '0700'] + (['u=rwX,go=rX', 'g+w', '+x'] if self.extended else []))} "
        if link:
            flags += "--link "
        if not self.extended or kind == "heredoc":
            return flags
        if self.one_in(5):
            flags += f"--exclude={self.pick(['a', '*.txt', '**/b', 'd', 'd/*', '**/*.txt --exclude=!d/**'])} "
        if self.one_in(6):
            flags += self.pick(["--unpack ", "--unpack=false "]) if kind == "add" else "--parents "
        return flags

    def command(self):
        place = self.pick(["/o", "/p/q", "/l", "/o/d", "/w", "/o/a", "/o/x"])
        name = f"{place}/{self.pick(['a', 'b', 'd', 'x'])}"
        other = self.pick(["/o/n", "/p/m", "/o/d/a", "/w/b"])
        stamp = f"touch -h -d @{self.time()}"
        command = self.pick([
            f"mkdir -p {name} && chmod {self.pick(DIR_MODES):o} {name}", f"ln -sfn {self.pick(['/p', 'o', '../o', 'nowhere/x'])} {self.pick(['/l', '/dangling', name])}",
            f"rm -rf {self.pick([name, place])}", f"mv {name} {other}", f"mv {place} /moved && mv /moved {place}", f"chmod {self.pick(MODES):o} {name}",
            f"chown 3:4 {name}", f"echo {self.random.randrange(9)} >{name}", f"echo more >>{name}", f"cp -a {name} {other}", f"ln -f {name} {other}",
            f"rm -rf {place} && mkdir {place}", f"mkfifo {name}", f"rm -rf {name} && ln -s {other} {name}", f"{stamp} {name}"])
        return f"{{ {command}; }} 2>/dev/null"
