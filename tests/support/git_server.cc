#include "tests/support/git_server.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/local_registry.h"

namespace cbuild::test {

bool GitServer::available() {
  for (const char* program : {"git", "python3"})
    if (!has_program(program)) {
      WARN("SKIPPED: no " << program);
      return false;
    }
  return true;
}

GitServer::GitServer() : directory_(temp_root(), "git-") {
  const Finished made =
      run_program({CBUILD_SOURCE_DIR "/tests/support/make_git_repositories.sh",
                   directory_.path()});
  if (made.exit_code != 0) throw Error(made.output);
  server_ = std::make_unique<Server>(
      std::vector<std::string>{"python3",
                               CBUILD_SOURCE_DIR "/tests/support/git_server.py",
                               directory_.path()},
      directory_.path() + "/log");
  base_ = "http://127.0.0.1:" + server_->wait_for("port ", "0123456789");
}

std::size_t GitServer::asked(const std::string& what) const {
  const std::string log = server_->log().substr(seen_);
  const std::string mark = "\"wants\": \"" + what + "\"";
  std::size_t count = 0;
  for (std::size_t at = log.find(mark); at != std::string::npos;
       at = log.find(mark, at + 1))
    ++count;
  return count;
}

Finished GitServer::git(const std::string& script) const {
  const Finished done =
      run_program({"sh", "-c",
                   "export GIT_CONFIG_GLOBAL=/dev/null; cd '" +
                       directory_.path() + "/work' && " + script});
  if (done.exit_code != 0) throw Error(script + ": " + done.output);
  return done;
}

void GitServer::commit(const std::string& file, const std::string& text) {
  git("echo '" + text + "' >" + file + " && git add . && git -c user.name=t " +
      "-c user.email=t@t commit -qm more && git push -q ../app.git main");
}

std::string GitServer::id(const std::string& name) const {
  return std::string(trim(git("git rev-parse '" + name + "'").output));
}

}  // namespace cbuild::test
