"""The builders that are compared: cbuild, buildah, and the BuildKit inside docker.io's dockerd."""
import os, shutil, signal, subprocess, time

BASE = """FROM scratch
COPY busybox /bin/busybox
COPY passwd group /etc/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN /bin/busybox find / -xdev -exec touch -h -d @1500000000 {} + ; true
"""


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


class Docker:
    """A daemon of our own, ended by its pid."""

    name = "docker"

    def __init__(self, work):
        self.dir = work + "/docker"
        os.mkdir(self.dir)
        socket = f"unix://{self.dir}/sock"
        self.env = {"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "1"}
        with open(self.dir + "/log", "w") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--iptables=false", "--bridge=none", "--data-root", self.dir + "/data", "--exec-root", self.dir + "/exec", "-p", self.dir + "/pid", "-H", socket],
                stdout=log, stderr=subprocess.STDOUT)
        for _ in range(300):
            if run(["/usr/bin/docker", "info"], self.env)[0]:
                return
            time.sleep(0.1)
        self.stop()
        raise SystemExit("dockerd did not start")

    def build(self, tag, context):
        return run(["/usr/bin/docker", "build", "--progress", "plain", "--network", "none", "-t", tag, context], self.env)

    def save(self, tag, archive):
        ok, said = run(["/usr/bin/docker", "save", "-o", archive, tag], self.env)
        assert ok, said

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        for mount in reversed([line.split()[1] for line in open("/proc/mounts")]):
            if mount.startswith(self.dir):
                run(["umount", "-l", mount])


PEERS = {"buildah": Buildah, "docker": Docker}
