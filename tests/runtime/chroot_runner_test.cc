// RUN by chroot(2) alone.
#include "runtime/chroot_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/text.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

struct ChrootSandbox : Sandbox {
  RunSpec spec(const std::string& script) {
    RunSpec made = Sandbox::spec(script);
    made.root.kind = ViewKind::copy;
    made.network = NetworkMode::egress;
    return made;
  }
  Output run(const RunSpec& asked) {
    Output output;
    output.status = runner_.run(
        asked,
        [&](Stream stream, std::string_view text) {
          (stream == Stream::out ? output.out : output.err) += text;
        },
        nullptr);
    return output;
  }
  Output run(const std::string& script) { return run(spec(script)); }

  // Without directories: what was only looked at may be among them, as what
  // overlayfs copies up is.
  std::string written_files() const {
    std::string files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(upper()))
      if (!entry.is_directory())
        files += entry.path().string().substr(upper().size()) + " ";
    return files;
  }

 private:
  ChrootRunner runner_{RunnerOptions{}};
};

BindMount bind_of(const Fd& root, const std::string& target, bool read_only) {
  BindMount bind;
  bind.target = target;
  bind.source_root = root.get();
  bind.read_only = read_only;
  return bind;
}

TEST_CASE("a command runs in a chroot, and only what it wrote is left") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  RunSpec spec = sandbox.spec(
      "id -u; echo to-err >&2; echo x >/dev/null; head -c 4 /dev/zero | wc -c;"
      "grep -q localhost /etc/hosts && echo made >/tmp/made; ls /proc; exit 3");
  spec.user = "app";
  spec.cwd = "/home/app/new";
  const Output output = sandbox.run(spec);
  CHECK(output.status.code == 3);
  CHECK(output.out == "1000\n4\n");
  CHECK(output.err == "to-err\n");
  CHECK(sandbox.written_files() == "/tmp/made ");
  struct stat made;
  REQUIRE(::stat((sandbox.upper() + "/home/app/new").c_str(), &made) == 0);
  CHECK(made.st_uid == 1000);
}

TEST_CASE("a signal and a missing program are told as elsewhere") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  const Output killed = sandbox.run("kill -TERM $$");
  CHECK(killed.status.signal == SIGTERM);
  CHECK(killed.status.code == 128 + SIGTERM);
  RunSpec spec = sandbox.spec("");
  spec.argv = {"nothing"};
  CHECK(sandbox.run(spec).status.code == 127);
}

TEST_CASE("nothing that the command started outlives it") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  const Output output = sandbox.run(
      "(setsid sleep 1000 & echo $! ) ; (sleep 1000 & echo $!) & wait");
  REQUIRE(output.status.code == 0);
  std::size_t count = 0;
  for (const std::string& pid : split(std::string(trim(output.out)), '\n')) {
    ++count;
    CHECK(::kill(std::stoi(pid), 0) == -1);
  }
  CHECK(count == 2);
}

TEST_CASE("mounts are put in place and taken out") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  sandbox.put("/covered/below", "");
  const Fd in = open_path(make_source(sandbox, "in", "file", "text"), O_RDONLY);
  const std::string cache = make_source(sandbox, "cache", "old", "");
  const Fd kept = open_path(cache, O_RDONLY);
  RunSpec spec = sandbox.spec(
      "cat /new/in/file; ls /covered; echo x >/covered/x; echo y >/new/in/y;"
      "cat /dev/pipes/script; ls /cache; rm /cache/old; echo z >/cache/new");
  spec.mounts = {bind_of(in, "/new/in", true), TmpfsMount{"/covered"},
                 bind_of(kept, "/cache", false),
                 SecretMount{"/dev/pipes/script", "s", 0755, 0, 0, false}};
  const Output output = sandbox.run(spec);
  CHECK(output.status.code == 0);
  CHECK(output.out == "textsold\n");
  CHECK(output.err.empty());
  CHECK(sandbox.written_files().empty());
  CHECK(join(list_dir(open_path(cache, O_RDONLY).get()), " ") == "new");
  CHECK(join(list_dir(in.get()), " ") == "file");
}

TEST_CASE("what a chroot cannot hold is refused") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  RunSpec spec = sandbox.spec("true");
  spec.network = NetworkMode::none;
  CHECK_THROWS_AS(sandbox.run(spec), IsolationError);
  spec = sandbox.spec("true");
  spec.mounts = {SecretMount{"/run/secrets/s", "word"}};
  CHECK_THROWS_WITH(sandbox.run(spec), Catch::Contains("env=NAME"));
  spec = sandbox.spec("true");
  spec.insecure = true;
  CHECK_THROWS_AS(sandbox.run(spec), IsolationError);
}

TEST_CASE("a chroot cannot be left by a second one") {
  NEED_SANDBOX();
  ChrootSandbox sandbox;
  const Output output = sandbox.run("busybox chroot / true");
  CHECK(output.status.code != 0);
  CHECK_THAT(output.err, Catch::Contains("not permitted"));
}

}  // namespace
}  // namespace cbuild::runtime
