"""The builders that are compared: cbuild, buildah, the BuildKit inside docker.io's dockerd, and a BuildKit of its own."""
import json, os, shutil, signal, subprocess, time

# The directories that a runtime mounts on are there, or some leave them behind.
BASE = """FROM scratch
WORKDIR /proc
WORKDIR /sys
WORKDIR /dev
WORKDIR /
COPY busybox /bin/busybox
COPY passwd group /etc/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN /bin/busybox find / -xdev -exec touch -h -d @1500000000 {} + ; true
"""


EPOCH = "SOURCE_DATE_EPOCH=1500000000"  # the time of what WORKDIR makes


def write_base(directory):
    os.mkdir(directory)
    shutil.copy("/bin/busybox", directory + "/busybox")
    for name, text in {"passwd": "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n", "group": "root:x:0:\nstaff:x:50:\n", "Dockerfile": BASE}.items():
        with open(f"{directory}/{name}", "w") as f:
            f.write(text)


def run(command, env=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


class Cbuild:
    def __init__(self, program, root):
        self.start = [program, "--root", root]

    def build(self, tag, context, *options):
        return run(self.start + ["build", "--progress", "plain", "--network", "none", "-t", tag, *options, context])

    def save(self, tag, archive):
        ok, said = run(self.start + ["save", "-o", archive, tag])
        assert ok, said

    def image_id(self, tag):
        return run(self.start + ["inspect", "-f", "{{.Id}}", tag])[1]


class Buildah:
    name = "buildah"

    def __init__(self, work):
        self.start = ["buildah", "--root", work + "/buildah", "--runroot", work + "/buildah-run", "--storage-driver", "overlay"]

    def build(self, tag, context):
        return run(self.start + ["build", "--isolation", "chroot", "--pull=never", "-t", tag, context])

    def save(self, tag, archive):
        ok, said = run(self.start + ["push", "-q", tag, "docker-archive:" + archive])
        assert ok, said

    def stop(self):
        run(self.start + ["rmi", "-af"])


class Daemon:
    """Of our own, ended by its pid."""

    def start(self, directory, command, ready, env=None):
        self.dir = directory
        os.mkdir(directory)
        with open(directory + "/log", "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        for _ in range(300):
            if run(ready, env)[0]:
                return
            time.sleep(0.1)
        self.stop()
        raise SystemExit(command[0] + " did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        for mount in reversed([line.split()[1] for line in open("/proc/mounts")]):
            if mount.startswith(self.dir):
                run(["umount", "-l", mount])


class Docker(Daemon):
    name = "docker"

    def __init__(self, work):
        own = work + "/docker"
        socket = f"unix://{own}/sock"
        self.env = {"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "1"}
        self.start(own, ["dockerd", "--iptables=false", "--bridge=none", "--data-root", own + "/data", "--exec-root", own + "/exec", "-p", own + "/pid", "-H", socket],
                   ["/usr/bin/docker", "info"], self.env)

    def build(self, tag, context):
        run(["/usr/bin/docker", "builder", "prune", "-af"], self.env)  # steps of other seeds, which have other times
        return run(["/usr/bin/docker", "build", "--progress", "plain", "--network", "none", "-t", tag, context], self.env)

    def save(self, tag, archive):
        ok, said = run(["/usr/bin/docker", "save", "-o", archive, tag], self.env)
        assert ok, said


class BuildKit(Daemon):
    """buildkitd and buildctl, from PATH: they know all that cbuild knows."""

    name = "buildkit"

    def __init__(self, work):
        own = work + "/buildkit"
        self.start_of_all = ["buildctl", "--addr", f"unix://{own}/sock"]
        self.base = own + "/base"
        self.start(own, ["buildkitd", "--root", own + "/state", "--addr", f"unix://{own}/sock", "--oci-worker-net", "host", "--containerd-worker=false"],
                   self.start_of_all + ["debug", "workers"])

    def build(self, tag, context):
        # Times of a context sent before, and those of steps of other seeds, would stay.
        run(self.start_of_all + ["prune", "--all"])
        output = f"type=oci,tar=false,dest={self.base}"
        options = ["--opt", "build-arg:" + EPOCH]
        if tag != "fuzzbase":
            output = f"type=docker,name={tag},dest={self.dir}/{tag}.tar"
            with open(self.base + "/index.json") as f:
                digest = json.load(f)["manifests"][0]["digest"]
            options = ["--oci-layout", "base=" + self.base, "--opt", f"context:fuzzbase=oci-layout://base@{digest}"]
        return run(self.start_of_all + ["build", "--progress", "plain", "--frontend", "dockerfile.v0", "--opt", "force-network-mode=none", "--local", "context=" + context,
                                        "--local", "dockerfile=" + context, "--output", output, *options])

    def save(self, tag, archive):
        shutil.move(f"{self.dir}/{tag}.tar", archive)


PEERS = {"buildah": Buildah, "docker": Docker, "buildkit": BuildKit}
