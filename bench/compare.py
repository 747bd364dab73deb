#!/usr/bin/env python3
"""Times cbuild against BuildKit (inside docker.io's dockerd) and buildah.

  bench/compare.py [--cbuild PATH] [--rounds N] [--only cached|steps|runs|deep|copy|many|large] [--part N]

All programs of a case run in turn, round after round, so that a machine whose
speed drifts is equally unkind to each. Prints the median, minimum and maximum
of each program's wall time and the median of the ratios to cbuild within each
round. Every program has a store of its own in one temporary directory, and
builds on the same base: Debian's static busybox. Needs root. RUN steps have no
network, as the dockerd started here has no bridge."""
import argparse, os, shutil, signal, statistics, subprocess, sys, tempfile, time

BASE = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
"""
TEN_STEPS = """FROM busybox
WORKDIR /app
COPY a.txt .
RUN cat a.txt > a
COPY b.txt .
RUN cat b.txt > b
ENV MODE=bench
RUN echo $MODE > c
COPY many many
RUN ls many > d
"""


def trivial_runs(count):
    return "FROM busybox\n" + "".join(f"RUN echo {i} > /f{i}\n" for i in range(count))


COPY_MANY = "FROM busybox\nCOPY many /many\nCOPY --from=busybox /bin/busybox /b\n"
COPY_ALL = "FROM busybox\nCOPY many /many\n"
CASES = {
    "cached": ("cached rebuild of ten steps", TEN_STEPS, False),
    "steps": ("twenty trivial RUN steps, nothing cached", trivial_runs(20), True),
    "runs": ("fifty trivial RUN steps, nothing cached", trivial_runs(50), True),
    "deep": ("a hundred trivial RUN steps, nothing cached", trivial_runs(100), True),
    "copy": ("COPY of 2000 files, nothing cached", COPY_MANY, True),
}
ASKED_FOR = ("runs", "deep")  # with --only: buildah takes half a minute a round
RUN_COUNTS = {"steps": 20, "runs": 50, "deep": 100}
# Minutes each, so only with --only: what a copy costs where there is much of it.
LONG_CASES = {
    "many": ("COPY of 100,000 files of 1 KiB, nothing cached", COPY_ALL, True),
    "large": ("COPY of 4 GiB of hole and 1 GiB of data, nothing cached", COPY_ALL, True),
}


class Program:
    """How one builder is called; `name` is what the table says."""

    def __init__(self, name, command, no_cache, env=None):
        self.name, self.command, self.no_cache, self.env = name, command, no_cache, env or {}

    def build(self, tag, context, no_cache=False):
        command = self.command + (self.no_cache if no_cache else []) + ["-t", tag, context]
        start = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **self.env})
            _, status, used = os.wait4(child.pid, 0)
            took = time.perf_counter() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode("utf-8", "replace")
        if child.returncode:
            sys.exit(f"{self.name} failed: {' '.join(command)}\n{text}")
        self.peak = max(getattr(self, "peak", 0), used.ru_maxrss)
        return took, text


def cbuild(path, work):
    return Program("cbuild", [path, "--root", work + "/cbuild", "build", "--network", "none"], ["--no-cache"])


def buildah(work):
    if not shutil.which("buildah"):
        print("buildah is not here: left out (apt-get install buildah)")
        return None
    version = subprocess.run(["buildah", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    base = ["buildah", "--root", work + "/buildah", "--runroot", work + "/buildah-run", "--storage-driver", "overlay"]
    # The first way to run a command that works on this machine.
    for how in ([], ["--runtime", "runc"], ["--isolation", "chroot"]):
        command = base + ["build", "--layers", "--network", "none", "--pull=never"] + how
        if subprocess.run(command + ["-t", "probe", work + "/base"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return Program(" ".join([version.split(" (")[0].replace(" version", "")] + how), command, ["--no-cache"])
    print("buildah cannot run commands here: left out")
    return None


class Dockerd:
    """A daemon of our own, ended by its pid."""

    def __init__(self, work):
        self.dir, self.process = work + "/docker", None
        os.mkdir(self.dir)

    def start(self):
        if not shutil.which("dockerd"):
            print("dockerd is not here: left out (apt-get install docker.io)")
            return None
        socket = f"unix://{self.dir}/sock"
        self.process = subprocess.Popen(
            ["dockerd", "--iptables=false", "--bridge=none", "--data-root", self.dir + "/data", "--exec-root", self.dir + "/exec", "-p", self.dir + "/pid", "-H", socket],
            stdout=open(self.dir + "/log", "w"), stderr=subprocess.STDOUT)
        for client in ("/usr/bin/docker", shutil.which("docker")):
            program = Program("BuildKit", [client, "build", "--network", "none"], ["--no-cache"], {"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "1"})
            for _ in range(100):
                if subprocess.run([client, "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **program.env}).returncode == 0:
                    break
                time.sleep(0.1)
            # A client without its own BuildKit support falls back to the old
            # builder, or asks for buildx: its output tells.
            probe = subprocess.run(program.command + ["-"], input=b"FROM scratch\nLABEL a=b\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **program.env})
            if b"#1 " in probe.stdout:
                version = subprocess.run([client, "version", "-f", "{{.Server.Version}}"], stdout=subprocess.PIPE, text=True, env={**os.environ, **program.env}).stdout.strip()
                program.name = f"BuildKit of dockerd {version}"
                return program
        print("no docker client here can speak to BuildKit: left out")
        return None

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)


def small_file(i, j, word=""):
    return (f"{i} {j} {word}" * 200)[:1024]


def fill_many(directory, part):
    for i in range(max(100 // part, 1)):
        os.mkdir(f"{directory}/{i}")
        for j in range(1000):
            with open(f"{directory}/{i}/{j}", "w") as f:
                f.write(small_file(i, j))


def fill_large(directory, part):
    with open(directory + "/hole", "wb") as f:
        f.truncate((4 << 30) // part)
    with open(directory + "/data", "wb") as f:
        for _ in range(max(1024 // part, 1)):
            f.write(os.urandom(1 << 20))


def long_context(work, name, part):
    context = f"{work}/context-{name}"
    os.makedirs(context + "/many")
    {"many": fill_many, "large": fill_large}[name](context + "/many", part)
    with open(context + "/Dockerfile", "w") as f:
        f.write(LONG_CASES[name][1])
    return context


def copy_floor(context, work):
    """The least a copy can take here: cp of the same, and the disk synced as a build does."""
    start = time.perf_counter()
    subprocess.run(["cp", "-a", "--sparse=always", context + "/many", work + "/floor"], check=True)
    subprocess.run(["sync", "-f", work + "/floor"], check=True)
    print(f"floor: cp of the same, and sync: {time.perf_counter() - start:.2f}s")
    shutil.rmtree(work + "/floor")


def contexts(work):
    made = {}
    for name, (_, dockerfile, _) in CASES.items():
        made[name] = f"{work}/context-{name}"
        os.makedirs(made[name] + "/many")
        for file in ("a.txt", "b.txt"):
            with open(f"{made[name]}/{file}", "w") as f:
                f.write(file * 100)
        for i in range(2000 if name == "copy" else 100):
            with open(f"{made[name]}/many/{i}", "w") as f:
                f.write(f"{i}\n" * 200)
        with open(made[name] + "/Dockerfile", "w") as f:
            f.write(dockerfile)
    os.mkdir(work + "/base")
    shutil.copy("/bin/busybox", work + "/base/busybox")
    with open(work + "/base/Dockerfile", "w") as f:
        f.write(BASE)
    return made


def measure(programs, name, context, rounds):
    title, _, no_cache = {**CASES, **LONG_CASES}[name]
    times = {p.name: [] for p in programs}
    for p in programs:  # not counted; fills the caches
        p.build("bench-" + name, context, no_cache)
    for round_number in range(rounds):
        order = programs if round_number % 2 == 0 else programs[::-1]
        for p in order:
            times[p.name].append(p.build("bench-" + name, context, no_cache)[0])
    report(title, programs, times, rounds)
    if name in RUN_COUNTS:
        print(f"  each step of cbuild: {statistics.median(times[programs[0].name]) * 1e3 / RUN_COUNTS[name]:.1f}ms, at least {min(times[programs[0].name]) * 1e3 / RUN_COUNTS[name]:.1f}ms")
    if name in LONG_CASES:
        print(f"  peak memory of cbuild: {programs[0].peak / 1024:.0f} MiB")


def report(title, programs, times, rounds):
    print(f"\n{title}, {rounds} rounds")
    print(f"  {'':32} {'median':>10} {'min':>10} {'max':>10}   times cbuild")
    ours = times[programs[0].name]
    for p in programs:
        t = times[p.name]
        ratio = statistics.median(b / a for a, b in zip(ours, t))
        print(f"  {p.name:32} {statistics.median(t)*1e3:8.1f}ms {min(t)*1e3:8.1f}ms {max(t)*1e3:8.1f}ms {ratio:10.1f}")
    sys.stdout.flush()


def change_ten(context, word):
    for j in range(10):
        with open(f"{context}/many/0/{j}", "w") as f:
            f.write(small_file(0, j, word))


def measure_again(programs, context, rounds):
    """After measure(): the same once more, and with ten files changed."""
    for p in programs:
        p.build("bench-many", context)
    for title, change in (("cached rebuild of that", False), ("rebuild of that, 10 files changed", True)):
        times = {p.name: [] for p in programs}
        for n in range(rounds):
            if change:
                change_ten(context, f"{n} ")
            for p in programs if n % 2 == 0 else programs[::-1]:
                times[p.name].append(p.build("bench-many", context)[0])
        report(title, programs, times, rounds)


def floor(rounds):
    """The least any program can take: starting one that does nothing."""
    times = []
    for _ in range(max(rounds, 20)):
        start = time.perf_counter()
        subprocess.run(["/bin/busybox", "true"], stdin=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    print(f"floor: starting a static program that does nothing, seen from here: {statistics.median(times)*1e3:.1f}ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--cbuild", default=here + "/../build/release/cbuild")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=[*CASES, *LONG_CASES])
    parser.add_argument("--part", type=int, default=1, help="of many and large: one part in so many")
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="cbuild-bench.")
    dockerd = Dockerd(work)
    try:
        made = contexts(work)
        programs = [p for p in (cbuild(os.path.abspath(args.cbuild), work), dockerd.start(), buildah(work)) if p]
        floor(args.rounds)
        for p in programs:
            p.build("busybox", work + "/base")
        if args.only in LONG_CASES:
            if args.part > 1:
                print(f"one part in {args.part} of the files, or of their sizes")
            context = long_context(work, args.only, args.part)
            copy_floor(context, work)
            measure(programs, args.only, context, args.rounds)
            if args.only == "many":
                measure_again(programs, context, args.rounds)
        for name in CASES:
            if args.only == name or (args.only is None and name not in ASKED_FOR):
                measure(programs, name, made[name], args.rounds)
    finally:
        dockerd.stop()
        for mount in reversed([line.split()[1] for line in open("/proc/mounts")]):
            if mount.startswith(work):
                subprocess.run(["umount", "-l", mount])
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
