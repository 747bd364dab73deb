#!/usr/bin/env python3
"""How long commands take on a large store: bench/scale.py [--command CBUILD] [--small]

Makes a store with 1,000 images, 10,000 step records, an image of 500 layers, a
Dockerfile of 1,000 RUN steps and one of 200 stages, then times what does no work
in it. Needs root, busybox-static and a few minutes. Prints medians of five runs
in milliseconds; the status is 1 where one is above --limit.
"""
import argparse, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

top = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser()
parser.add_argument("--command", default=str(top / "build/release/cbuild"))
parser.add_argument("--limit", type=float, default=100)
parser.add_argument("--small", action="store_true", help="a tenth of everything")
options = parser.parse_args()
scale = 10 if options.small else 1

work = pathlib.Path(tempfile.mkdtemp(prefix="cbuild-scale."))
root = work / "store"


def cbuild(*arguments, check=True):
    return subprocess.run([options.command, "--root", str(root), *arguments], check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def context(name, text):
    where = work / name
    where.mkdir(exist_ok=True)
    (where / "Dockerfile").write_text(text)
    return str(where)


def build(name, text, *flags):
    done = cbuild("build", "-q", "-t", name, "--network", "none", *flags, context(name, text), check=False)
    if done.returncode:
        sys.exit(f"{name}: status {done.returncode} {done.stderr[-2000:]}")


def prepare():
    base = work / "busybox"
    base.mkdir()
    shutil.copy("/bin/busybox", base)
    build("busybox", 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n')
    # No image has more than 500 layers: overlayfs stacks no more.
    third = "".join(f"RUN echo {i} >/f\n" for i in range(333 // scale))
    build("runs", f"FROM busybox AS a\n{third}FROM busybox AS b\nCOPY --from=a /f /a\n{third}"
          f"FROM busybox\nCOPY --from=b /f /b\nRUN true\n{third}")
    build("layers", "FROM busybox\n" + "".join(f"RUN echo {i} >/g\n" for i in range(497 // scale)))
    stages = "".join(f"FROM busybox AS s{i}\nRUN echo {i} >/x\nRUN cat /x >/y\n" for i in range(200 // scale))
    copies = "".join(f"COPY --from=s{i} /y /y{i}\n" for i in range(200 // scale))
    build("stages", stages + "FROM busybox\n" + copies)
    # Images and records that differ in their labels and directories.
    for i in range(1000 // scale):
        steps = "".join(f"WORKDIR /w{i}/{k}\n" for k in range(8))
        build(f"image{i}", f"FROM busybox\n{steps}LABEL n={i}\n")


def median(*arguments):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        cbuild(*arguments)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def cached(name):
    return ("build", "-q", "-t", name, "--network", "none", str(work / name))


try:
    start = time.perf_counter()
    prepare()
    records = len(os.listdir(root / "steps"))
    print(f"{len(os.listdir(root / 'layers'))} layers, {records} records, made in {time.perf_counter() - start:.0f} s")
    slow = 0
    for what, arguments in {
        "version": ("version",),
        "images": ("images",),
        "images -q": ("images", "-q"),
        "tag": ("tag", "image1", "other:1"),
        "inspect by name": ("inspect", "image1"),
        "history of many layers": ("history", "layers"),
        "cached build of one step": cached("image1"),
        "cached build of 1,000 RUNs": cached("runs"),
        "cached build of 500 layers": cached("layers"),
        "cached build of 200 stages": cached("stages"),
        "du": ("du",),
        "prune, nothing to do": ("prune", "-f", "--until", "1000d"),
        "builds": ("builds",),
        "rmi of a second name": ("rmi", "other:1"),
    }.items():
        if what.startswith("rmi"):
            cbuild("rmi", "other:1", check=False)
            times = []
            for i in range(5):
                cbuild("tag", "image1", f"other:{i}")
                start = time.perf_counter()
                cbuild("rmi", f"other:{i}")
                times.append((time.perf_counter() - start) * 1000)
            took = statistics.median(times)
        else:
            took = median(*arguments)
        slow += took > options.limit
        print(f"{took:9.1f} ms  {what}", "  <-- above the limit" if took > options.limit else "", sep="")
    sys.exit(1 if slow else 0)
finally:
    shutil.rmtree(work)
