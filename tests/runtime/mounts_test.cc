// What is mounted in a RUN, and that it leaves no trace in the layer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "runtime/overlay.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

Fd directory(const std::string& path) {
  return open_path(path, O_RDONLY | O_DIRECTORY);
}

BindMount bind(const Fd& source, const std::string& path,
               const std::string& target) {
  BindMount mount;
  mount.source_root = source.get();
  mount.source = path;
  mount.target = target;
  return mount;
}

}  // namespace

TEST_CASE("mounts: those of the sandbox", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run(
      "for m in / /proc /sys /dev /dev/pts /dev/shm /dev/mqueue /etc/hosts "
      "/run /tmp; do awk -v m=$m '$2==m{split($4,o,\",\");print m,$3,o[1]}' "
      "/proc/mounts; done");
  CHECK(output.out ==
        "/ overlay rw\n/proc proc rw\n/sys sysfs ro\n/dev tmpfs rw\n"
        "/dev/pts devpts rw\n/dev/shm tmpfs rw\n/dev/mqueue mqueue rw\n"
        "/etc/hosts tmpfs ro\n");
}

TEST_CASE("mounts: /dev has the usual names", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run(
      "ls -1 /dev | grep -v core | tr '\\n' ' '; readlink /dev/ptmx; "
      "stat -c '%a %t:%T' /dev/null; stat -c %a /dev/shm");
  CHECK(output.out ==
        "fd full mqueue null ptmx pts random shm stderr stdin stdout tty "
        "urandom zero pts/ptmx\n666 1:3\n1777\n");
}

TEST_CASE("mounts: /dev/shm has the size asked for", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("df -k /dev/shm | awk 'END{print $2}'");
  spec.shm_size = 32 << 20;
  CHECK(sandbox.run(spec).out == "32768\n");
}

TEST_CASE("mounts: parts of /proc are hidden or read-only", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run(
      "cat /proc/keys | wc -c; ls /sys/firmware | wc -l;"
      "echo x 2>/dev/null > /proc/sys/kernel/hostname || echo refused;"
      "echo b 2>/dev/null > /proc/sysrq-trigger || echo refused");
  CHECK(output.out == "0\n0\nrefused\nrefused\n");
}

TEST_CASE("mounts: an image without any mount point", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  for (const char* name : {"/proc", "/sys", "/dev", "/etc"})
    remove_tree(sandbox.root() + name);
  const Output output = sandbox.run("cat /etc/hosts | wc -l; ls /proc/self/fd");
  CHECK(output.out == "2\n0\n1\n2\n3\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("stubs: a directory the image lacks stays only for what is put in it",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  remove_tree(sandbox.root() + "/etc");
  CHECK(sandbox.run("chmod 700 /etc; mkdir /etc/x; rmdir /etc/x").out == "");
  CHECK(sandbox.written() == "");
  CHECK(sandbox.run("chmod 700 /etc; : > /etc/mine").out == "");
  CHECK(sandbox.written() == "/etc /etc/mine");
}

TEST_CASE("stubs: where a layer took a mount point away, it is made anew",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  remove_tree(sandbox.root() + "/etc");
  make_dirs(sandbox.dir() + "/above");
  REQUIRE(::mknod((sandbox.dir() + "/above/etc").c_str(), S_IFCHR, 0) == 0);
  RunSpec spec = sandbox.spec("wc -l < /etc/hosts; ls -A /etc");
  spec.root.lowers.insert(spec.root.lowers.begin(), sandbox.dir() + "/above");
  CHECK(sandbox.run(spec).out == "2\nhosts\nresolv.conf\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("mounts: hosts of the image is hidden and comes back", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/etc/hosts", "10.0.0.1 custom\n");
  CHECK(
      sandbox.run("grep -c custom /etc/hosts; echo x 2>/dev/null >> /etc/hosts")
          .out == "0\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("mounts: /etc/resolv.conf as a dangling link", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  REQUIRE(::symlink("../run/resolve/stub.conf",
                    (sandbox.root() + "/etc/resolv.conf").c_str()) == 0);
  CHECK(sandbox.run("cat /etc/resolv.conf | grep -c nameserver").status.code ==
        0);
  CHECK(sandbox.written() == "");
}

TEST_CASE("stubs: times of parents are put back", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  make_dirs(sandbox.root() + "/p");
  const timespec times[2] = {{1500000000, 5}, {1500000000, 7}};
  REQUIRE(::utimensat(AT_FDCWD, (sandbox.root() + "/p").c_str(), times, 0) ==
          0);
  const Fd source = directory(make_source(sandbox, "src", "f", "x\n"));
  SECTION("the command leaves the directory alone") {
    RunSpec spec = sandbox.spec("cat /p/stub; stat -c %Y /p");
    spec.mounts = {bind(source, "f", "/p/stub")};
    CHECK(sandbox.run(spec).out == "x\n1500000000\n");
    CHECK(sandbox.written() == "");
  }
  SECTION("the command writes beside it") {
    RunSpec spec = sandbox.spec("touch /p/own; touch -d @1600000000 /p");
    spec.mounts = {bind(source, "f", "/p/stub")};
    sandbox.run(spec);
    CHECK(sandbox.written() == "/p /p/own");
    struct stat st;
    REQUIRE(::stat((sandbox.upper() + "/p").c_str(), &st) == 0);
    CHECK(st.st_mtim.tv_sec == 1600000000);
  }
}

TEST_CASE("stubs: only what the command wrote stays", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("touch /var/app/own");
  spec.mounts = {SecretMount{"/var/app/conf/token", "s3cret"}};
  CHECK(sandbox.run(spec).status.code == 0);
  CHECK(sandbox.written() == "/var /var/app /var/app/own");
}

TEST_CASE("stubs: a command that changes a parent's mode keeps the change",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/p/f", "");
  RunSpec spec = sandbox.spec("chmod 700 /p");
  spec.mounts = {TmpfsMount{"/p/t"}};
  CHECK(sandbox.run(spec).status.code == 0);
  CHECK(sandbox.written() == "/p");
}

TEST_CASE("stubs: a parent turned into a link is not followed out",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  make_dirs(sandbox.root() + "/a");
  const std::string outside = sandbox.dir() + "/outside";
  make_dirs(outside + "/b");
  RunSpec spec = sandbox.spec("rm -r /x; ln -s " + outside + " /x");
  make_dirs(sandbox.root() + "/x/b");
  spec.mounts = {TmpfsMount{"/a/t"}};
  CHECK(sandbox.run(spec).status.code == 0);
  CHECK(sandbox.written() == "/x");
  CHECK(::access((outside + "/b").c_str(), F_OK) == 0);
}

TEST_CASE("bind: read-only unless writes are allowed", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Fd source = directory(make_source(sandbox, "src", "f", "text\n"));
  RunSpec spec =
      sandbox.spec("cat /m/f; touch /m/new 2>/dev/null || echo refused");
  spec.mounts = {bind(source, "", "/m")};
  CHECK(sandbox.run(spec).out == "text\nrefused\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("bind: a writable one keeps what was written", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string cache = make_source(sandbox, "cache", "f", "old\n");
  const Fd source = directory(cache);
  BindMount mount = bind(source, "", "/m");
  mount.read_only = false;
  RunSpec spec = sandbox.spec("echo new > /m/f");
  spec.mounts = {mount};
  CHECK(sandbox.run(spec).status.code == 0);
  CHECK(read_file(cache + "/f") == "new\n");
}

TEST_CASE("bind: discarded writes are seen by the command only", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string dir = make_source(sandbox, "src", "f", "orig\n");
  REQUIRE(::chmod(dir.c_str(), 0711) == 0);
  const Fd source = directory(dir);
  SECTION("a directory") {
    RunSpec spec = sandbox.spec("echo more >> /m/f; cat /m/f; stat -c %a /m");
    BindMount mount = bind(source, "", "/m");
    mount.read_only = false;
    mount.discard_writes_in = sandbox.upper() + "/../scratch";
    spec.mounts = {mount};
    CHECK(sandbox.run(spec).out == "orig\nmore\n711\n");
  }
  SECTION("a file") {
    RunSpec spec = sandbox.spec("echo more >> /m; cat /m");
    BindMount mount = bind(source, "f", "/m");
    mount.read_only = false;
    mount.discard_writes_in = sandbox.upper() + "/../scratch";
    spec.mounts = {mount};
    CHECK(sandbox.run(spec).out == "orig\nmore\n");
  }
  CHECK(read_file(dir + "/f") == "orig\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("bind: from another stage's detached mount", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string a = make_source(sandbox, "l0", "top", "1\n");
  const std::string b = make_source(sandbox, "l1", "d/below", "2\n");
  for (int repeat = 0; repeat < 2; ++repeat) {
    const Fd stage = mount_overlay({{a, b}, "", ""});
    RunSpec spec = sandbox.spec(
        "cat /m/top /m/d/below /n /w/below; "
        "echo 3 > /w/below");
    BindMount writable = bind(stage, "d", "/w");
    writable.read_only = false;
    writable.discard_writes_in = sandbox.upper() + "/../scratch";
    spec.mounts = {bind(stage, "", "/m"), bind(stage, "/d/../top", "/n"),
                   writable};
    CHECK(sandbox.run(spec).out == "1\n2\n1\n2\n");
  }
  CHECK(read_file(b + "/d/below") == "2\n");
}

TEST_CASE("bind: a source cannot climb out of its root", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const std::string dir = make_source(sandbox, "src", "f", "inside\n");
  REQUIRE(::symlink("/f", (dir + "/link").c_str()) == 0);
  const Fd source = directory(dir);
  const char* path = GENERATE("../../sub/../f", "link", "/../f");
  RunSpec spec = sandbox.spec("cat /m");
  spec.mounts = {bind(source, path, "/m")};
  CHECK(sandbox.run(spec).out == "inside\n");
}

TEST_CASE("bind: a source that is missing is named", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Fd source = directory(sandbox.dir());
  RunSpec spec = sandbox.spec("true");
  spec.mounts = {bind(source, "no/such", "/m")};
  CHECK_THROWS_WITH(sandbox.run(spec),
                    "mount /m: open /no/such: No such file or directory");
}

TEST_CASE("mounts: nested ones come parents first", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  make_source(sandbox, "src", "d/g", "y");
  const Fd source = directory(make_source(sandbox, "src", "f", "x"));
  RunSpec spec = sandbox.spec("cd /m && find . | sort | tr '\\n' ' '");
  spec.mounts = {bind(source, "f", "/m/in/f"), TmpfsMount{"/m"},
                 bind(source, "d", "/m/d")};
  CHECK(sandbox.run(spec).out == ". ./d ./d/g ./in ./in/f ");
  CHECK(sandbox.written() == "");
}

TEST_CASE("mounts: a target is resolved inside the image", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  REQUIRE(::symlink("/etc/../data", (sandbox.root() + "/link").c_str()) == 0);
  RunSpec spec =
      sandbox.spec("awk '$3==\"tmpfs\"&&$2~/data/{print $2}' /proc/mounts");
  spec.mounts = {TmpfsMount{"/../link/t"}};
  CHECK(sandbox.run(spec).out == "/data/t\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("tmpfs: empty, 1777, of the size asked for, and gone", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec(
      "stat -c '%u:%g %a' /t; ls -A /t; df -k /t | awk 'END{print $2}'; "
      "touch /t/f; touch /ro/f 2>/dev/null || echo refused");
  spec.mounts = {TmpfsMount{"/t", 2 << 20}, TmpfsMount{"/ro", 0, true}};
  CHECK(sandbox.run(spec).out == "0:0 1777\n2048\nrefused\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("secret: owner, mode and options", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec(
      "cat /run/secrets/a; stat -c '%u:%g %a' /run/secrets/*; "
      "echo x 2>/dev/null >> /run/secrets/a || echo refused; "
      "awk '$2~/secrets/{print $2,$3,$4~/^ro,nosuid,nodev/,$4~/noexec/}' "
      "/proc/mounts");
  spec.mounts = {SecretMount{"/run/secrets/a", "s3cret\n"},
                 SecretMount{"/run/secrets/x", "#!", 0550, 1000, 50}};
  CHECK(sandbox.run(spec).out ==
        "s3cret\n0:0 400\n1000:50 550\nrefused\n"
        "/run/secrets/a tmpfs 1 1\n/run/secrets/x tmpfs 1 0\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("mounts: what is made in /dev stays out of the layer", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/dev/copied", "x");
  CHECK(sandbox.run("touch /dev/made; ls /dev | grep -c copied").out == "0\n");
  CHECK(sandbox.written() == "");
}

}  // namespace cbuild::runtime
