// What a command sees and what is left of it, in real namespaces.
#include "runtime/runner.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <thread>

#include "sandbox.h"

namespace cbuild::runtime {

TEST_CASE("RUN: a command that writes nothing leaves an empty upper",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  CHECK(sandbox.run("true").status.code == 0);
  CHECK(sandbox.written() == "");
}

TEST_CASE("RUN: its output comes back by stream", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run("echo one; echo two >&2; echo three");
  CHECK(output.out == "one\nthree\n");
  CHECK(output.err == "two\n");
}

TEST_CASE("RUN: output is whole however much it is", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run("yes 0123456 | head -c 4000000");
  CHECK(output.out.size() == 4000000);
}

TEST_CASE("RUN: exit codes and signals", "[runtime]") {
  NEED_SANDBOX();
  struct Case {
    const char* script;
    int code;
    int signal;
  };
  const Case cases[] = {
      {"exit 7", 7, 0},
      {"sh -c 'kill -9 $$'; exit $?", 137, 0},
      // Process 1 does not get a signal it has no handler for.
      {"kill -TERM $$; exit 3", 3, 0},
  };
  Sandbox sandbox;
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.script) {
      const ExitStatus status = sandbox.run(c.script).status;
      CHECK(status.code == c.code);
      CHECK(status.signal == c.signal);
      CHECK_FALSE(status.out_of_memory);
    }
  }
}

TEST_CASE("RUN: a program that cannot be run", "[runtime]") {
  NEED_SANDBOX();
  struct Case {
    const char* program;
    int code;
    const char* err;
  };
  const Case cases[] = {
      {"foo", 127, "exec: \"foo\": executable file not found in $PATH\n"},
      {"/no/such/program", 127,
       "exec: \"/no/such/program\": stat /no/such/program: no such file or "
       "directory\n"},
      {"/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied\n"},
      {"/tmp", 126, "exec: \"/tmp\": is a directory\n"},
      {"/broken", 127, "exec /broken: no such file or directory\n"},
      {"/noise", 126, "exec /noise: exec format error\n"},
  };
  Sandbox sandbox;
  sandbox.put("/broken", "#!/no/such/shell\n");
  sandbox.put("/noise", "noise");
  ::chmod((sandbox.root() + "/broken").c_str(), 0755);
  ::chmod((sandbox.root() + "/noise").c_str(), 0755);
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.program) {
      RunSpec spec = sandbox.spec("");
      spec.argv = {c.program};
      const Output output = sandbox.run(spec);
      CHECK(output.status.code == c.code);
      CHECK(output.err == c.err);
      CHECK(sandbox.written() == "");
    }
  }
}

TEST_CASE("RUN: a program is looked up in PATH of the environment",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/opt/t/tool", "#!/bin/sh\necho \"tool $1\"\n");
  ::chmod((sandbox.root() + "/opt/t/tool").c_str(), 0755);
  RunSpec spec = sandbox.spec("");
  spec.argv = {"tool", "x y"};
  spec.env = {"PATH=/nowhere:/opt/t:/bin"};
  CHECK(sandbox.run(spec).out == "tool x y\n");
}

TEST_CASE("RUN: HOME is the user's unless the environment has one",
          "[runtime]") {
  NEED_SANDBOX();
  struct Case {
    const char* user;
    const char* entry;
    const char* want;
  };
  const Case cases[] = {{"", "A=b", "/root\n"},
                        {"app", "A=b", "/home/app\n"},
                        {"4242", "A=b", "/\n"},
                        {"app", "HOME=/mine", "/mine\n"},
                        {"app", "HOME=", "/home/app\n"}};
  Sandbox sandbox;
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.user << " " << c.entry) {
      RunSpec spec = sandbox.spec("echo $HOME");
      spec.user = c.user;
      spec.env.push_back(c.entry);
      CHECK(sandbox.run(spec).out == c.want);
    }
  }
}

TEST_CASE("RUN: capabilities, seccomp and privileges are Docker's",
          "[runtime]") {
  NEED_SANDBOX();
  struct Case {
    const char* user;
    const char* held;
  };
  const Case cases[] = {{"", "00000000a80425fb"}, {"app", "0000000000000000"}};
  Sandbox sandbox;
  for (const Case& c : cases) {
    DYNAMIC_SECTION("user '" << c.user << "'") {
      RunSpec spec =
          sandbox.spec("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status");
      spec.user = c.user;
      const std::string held = c.held;
      CHECK(sandbox.run(spec).out ==
            "CapInh:\t0000000000000000\nCapPrm:\t" + held + "\nCapEff:\t" +
                held +
                "\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n"
                "NoNewPrivs:\t0\nSeccomp:\t2\n");
    }
  }
}

TEST_CASE("RUN: new namespaces and mounts are refused", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const Output output = sandbox.run(
      "unshare -m true 2>&1; mount -t tmpfs t /tmp 2>&1; mknod /tmp/n c 1 3 && "
      "echo made");
  CHECK_THAT(output.out, Catch::Contains("unshare") &&
                             Catch::Contains("Operation not permitted") &&
                             Catch::Contains("made"));
}

TEST_CASE("RUN: groups of the user", "[runtime]") {
  NEED_SANDBOX();
  struct Case {
    const char* user;
    const char* want;
  };
  const Case cases[] = {{"", "Groups:\t0 \n"},
                        {"app", "Groups:\t50 1001 \n"},
                        {"1000:1001", "Groups:\t1001 \n"}};
  Sandbox sandbox;
  for (const Case& c : cases) {
    DYNAMIC_SECTION("user '" << c.user << "'") {
      RunSpec spec = sandbox.spec("grep Groups: /proc/self/status");
      spec.user = c.user;
      CHECK(sandbox.run(spec).out == c.want);
    }
  }
}

TEST_CASE("RUN: limits of open files", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  CHECK(sandbox.run("ulimit -Sn").out == "1024\n");
  RunSpec spec = sandbox.spec("ulimit -Sn; ulimit -Hn");
  spec.limits = {{RLIMIT_NOFILE, 123, 456}};
  CHECK(sandbox.run(spec).out == "123\n456\n");
}

TEST_CASE("RUN: umask, session, standard input and terminal", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  const mode_t before = ::umask(077);
  const Output output = sandbox.run(
      "umask; cat | wc -c; test -t 0 || echo none; readlink /proc/self/fd/0;"
      "awk '{print $6}' /proc/1/stat; ls /proc/1/fd | tr '\\n' ' '; "
      "touch /tmp/f; stat -c %a /tmp/f; echo $$");
  ::umask(before);
  // Nothing but the standard streams is inherited (a shell may open more).
  CHECK_THAT(output.out,
             Catch::StartsWith("0022\n0\nnone\n/dev/null\n1\n0 1 2 "));
  CHECK_THAT(output.out, Catch::EndsWith("644\n1\n"));
}

TEST_CASE("RUN: a user may open its own /dev/stdout", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("echo yes > /dev/stdout; echo no > /dev/stderr");
  spec.user = "app";
  const Output output = sandbox.run(spec);
  CHECK(output.out == "yes\n");
  CHECK(output.err == "no\n");
}

TEST_CASE("RUN: hostname and hosts", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("cat /proc/sys/kernel/hostname /etc/hosts");
  spec.hostname = "box";
  spec.extra_hosts = {{"db", "1.2.3.4"}};
  CHECK(sandbox.run(spec).out ==
        "box\n127.0.0.1\tlocalhost box\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n1.2.3.4\tdb\n");
  CHECK(sandbox.written() == "");
}

TEST_CASE("RUN: the working directory is made for the user", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("stat -c '%n %u:%g %a' $PWD");
  spec.user = "app";
  spec.cwd = "/new/work";
  CHECK(sandbox.run(spec).out == "/new/work 1000:1001 755\n");
  CHECK(sandbox.written() == "/new /new/work");
}

TEST_CASE("RUN: a working directory that is a link is followed inside",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  REQUIRE(::symlink("/real/dir", (sandbox.root() + "/link").c_str()) == 0);
  RunSpec spec = sandbox.spec("touch here");
  spec.cwd = "/link";
  CHECK(sandbox.run(spec).status.code == 0);
  CHECK(sandbox.written() == "/real /real/dir /real/dir/here");
}

TEST_CASE("RUN: a working directory that is a file is an error", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec("true");
  spec.cwd = "/etc/passwd";
  CHECK_THROWS_WITH(sandbox.run(spec),
                    "RUN: enter /etc/passwd: Not a directory");
}

TEST_CASE("RUN: --security=insecure has every capability and no filter",
          "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  RunSpec spec = sandbox.spec(
      "grep Seccomp: /proc/self/status; awk '/CapEff/{e=$2}/CapBnd/{b=$2}"
      "/CapAmb/{a=$2}END{print e==b, a==b}' /proc/self/status;"
      "mount -t tmpfs t /tmp && echo mounted; test -c /dev/loop-control -a -b "
      "/dev/loop0 && echo devices; echo 1 > /proc/sys/vm/overcommit_memory2 "
      "2>/dev/null; awk '$2==\"/sys\"{print substr($4,1,2)}' /proc/mounts");
  spec.insecure = true;
  CHECK(sandbox.run(spec).out == "Seccomp:\t0\n1 1\nmounted\ndevices\nrw\n");
}

TEST_CASE("RUN: several at once do not mix", "[runtime]") {
  NEED_SANDBOX();
  Sandbox sandbox;
  std::vector<RunSpec> specs;
  for (int i = 0; i < 8; ++i)
    specs.push_back(sandbox.spec("echo " + std::to_string(i) +
                                 " | cat > /n; cat /n; ls /proc/self/fd"));
  std::vector<Output> outputs(specs.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < specs.size(); ++i)
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 5; ++repeat) {
        remove_tree(specs[i].root.upper);
        remove_tree(specs[i].root.work);
        make_dirs(specs[i].root.upper);
        make_dirs(specs[i].root.work);
        outputs[i] = sandbox.run(specs[i]);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < specs.size(); ++i)
    CHECK(outputs[i].out == std::to_string(i) + "\n0\n1\n2\n3\n");
}

}  // namespace cbuild::runtime
