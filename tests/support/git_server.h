// Git repositories on 127.0.0.1, for one test: those that
// make_git_repositories.sh makes, served by git_server.py.
#pragma once

#include <memory>
#include <string>

#include "base/dir.h"
#include "tests/support/program.h"

namespace cbuild::test {

class GitServer {
 public:
  // Warns "SKIPPED: ..." where git or Python is missing.
  static bool available();
  GitServer();

  // "http://127.0.0.1:34567/app.git"; `below` as in "private/".
  std::string url(const std::string& below = {}) const {
    return base_ + "/" + below + "app.git";
  }
  std::string directory() const { return directory_.path(); }
  // How often clients asked for "ls-refs" or "fetch" since clear().
  std::size_t asked(const std::string& what) const;
  void clear() { seen_ = server_->log().size(); }
  // A commit on main that makes `file` hold `text`.
  void commit(const std::string& file, const std::string& text);
  // The id of a commit or tag.
  std::string id(const std::string& name) const;

 private:
  Finished git(const std::string& script) const;

  TempDir directory_;
  std::unique_ptr<Server> server_;
  std::string base_;
  std::size_t seen_ = 0;
};

}  // namespace cbuild::test
