"""Where a peer is known to differ, and why: a rule says which lines of a difference it explains."""

# What a container runtime leaves in an image; not made by any instruction.
RUNTIME = ("dev", "proc", "sys", "run", "etc", "etc/hosts", "etc/resolv.conf", "etc/hostname")


def skipped(path):
    return path in RUNTIME or path.partition("/")[0] in RUNTIME[:4]


def without_time(line):
    kind, mode, owner, _, *rest = line.split(" ")
    return [kind, mode, owner, *rest]


def directory_time(ours, theirs):
    return ours.startswith("5 ") and theirs.startswith("5 ") and without_time(ours) == without_time(theirs) and " now " in theirs


def made_for_nothing(ours, theirs):
    return ours == "nothing" and theirs.startswith("5 ") and " now " in theirs


def mount_point(path, ours):
    return ours == "nothing" and path.rpartition("/")[2] in RUNTIME[:3]


def apart_from_mode(ours, theirs):
    """Nor from the time of a directory, for which there are rules of its own."""
    a, b = ours.split(" "), theirs.split(" ")
    time = a[3:4] == b[3:4] or ours.startswith("5 ")
    return a[0] == b[0] and a[2:3] == b[2:3] and a[4:] == b[4:] and time


def parents_mode(ours, theirs):
    return apart_from_mode(ours, theirs) and ours.startswith("5 ") and theirs.startswith("5 755 ")


def special_bits(ours, theirs):
    return apart_from_mode(ours, theirs) and ours.split(" ")[1][-3:] == theirs.split(" ")[1][-3:]


def without_links(line):
    return line.partition(" =")[0]


def fewer_links(ours, theirs):
    """BuildKit 0.33 agrees with cbuild."""
    same = without_links(ours), without_links(theirs)
    return (same[0] == same[1] or special_bits(*same)) and ours.count(",") < theirs.count(",")


def without_capability(line):
    start, quote, _ = line.partition("'\\x01")
    return start + "''" if quote else line


def lost_capability(ours, theirs):
    ours, theirs = without_links(ours), without_links(theirs)
    return without_capability(ours) != ours and (without_capability(ours) == theirs or special_bits(without_capability(ours), theirs))


LEFT_BY_BUILDAH = [path.rpartition("/")[2] for path in RUNTIME]

RULES = {
    # (what it is about, does it explain this line)
    "docker": [
        ("BuildKit 20.10 sets a copied directory's time before it copies what is in it", lambda path, ours, theirs: directory_time(ours, theirs)),
        ("BuildKit 20.10 makes the destination of a pattern that matches nothing", lambda path, ours, theirs: made_for_nothing(ours, theirs)),
        ("BuildKit 20.10 leaves mount points of a RUN in its layer", lambda path, ours, theirs: mount_point(path, ours)),
        ("BuildKit 20.10 makes parents with 0755 whatever --chmod says", lambda path, ours, theirs: parents_mode(ours, theirs)),
        ("BuildKit 20.10 keeps the source's setuid, setgid and sticky bits with an octal --chmod", lambda path, ours, theirs: special_bits(ours, theirs)),
        ("BuildKit 20.10 stores a file anew that got another name", lambda path, ours, theirs: fewer_links(ours, theirs)),
        ("BuildKit loses capabilities of a context's files", lambda path, ours, theirs: lost_capability(ours, theirs)),
        ("BuildKit 20.10 leaves fifos out of a COPY", lambda path, ours, theirs: ours.startswith("6 ") and theirs == "nothing"),
    ],
    "buildkit": [
        ("BuildKit loses capabilities of a context's files", lambda path, ours, theirs: lost_capability(ours, theirs)),
        ("BuildKit's mount points of a RUN move the time of /etc", lambda path, ours, theirs: directory_time(ours, theirs) and path.rpartition("/")[2] == "etc"),
    ],
    "buildah": [
        ("buildah gives a copied directory the time of the build", lambda path, ours, theirs: directory_time(ours, theirs)),
        ("buildah leaves mount points of a RUN in its layer", lambda path, ours, theirs: ours == "nothing" and path.rpartition("/")[2] in LEFT_BY_BUILDAH),
        ("buildah drops setuid, setgid and sticky bits of what it copies", lambda path, ours, theirs: special_bits(ours, theirs)),
        ("buildah stores a file anew that got another name", lambda path, ours, theirs: fewer_links(ours, theirs)),
        ("buildah makes parents with 0755 whatever --chmod says", lambda path, ours, theirs: parents_mode(ours, theirs)),
    ],
}

FAILURES = {
    # Where one of both fails: a part of its message, and why.
    "docker": [
        ("error from sender: ", "the client of 20.10 looks below files for patterns of COPY and .dockerignore"),
        ('[1]" not found: not found', "the client looks the name that a link leads to up as a pattern"),
    ],
    "buildkit": [
        (": not found", "BuildKit follows a link at the top of a filtered copy, also one that leads nowhere"),
    ],
    "buildah": [
        ("matched nothing (0 filtered out)", "buildah looks up a name that a pattern matched as a pattern again"),
        ("no items matching glob", "a pattern without a match is an error for buildah"),
        ("checking on sources under", "a pattern without a match is an error for buildah"),
        ("unknown user error looking up user", "a name of --chown that nobody has ends the build for buildah"),
        ("cannot copy to non-directory", "buildah puts a directory in a file's place"),
        ("cannot replace to directory", "buildah puts a file in a directory's place"),
        ("mkdir /", "buildah puts a directory in a file's place"),
    ],
}


def explained(peer, path, ours, theirs):
    """The reason, or ""."""
    return next((reason for reason, explains in RULES[peer] if explains(path, ours, theirs)), "")


def failure(peer, said):
    """Why one failed and the other did not, where that is known, or ""."""
    return next((reason for text, reason in FAILURES[peer] if text in said), "")
