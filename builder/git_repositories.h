// Files of git repositories, kept in the store.
//
//   <root>/git/repositories/<hash of the remote>   bare, with what was fetched
//                                                  and its submodules'
//   <root>/git/files/<hash>/                       a commit's files, never
//                                                  changed, published by rename
//
// A reference is resolved with ls-remote, once in a build; nothing is fetched
// where the commit's files are here. Secrets GIT_AUTH_HEADER[.host] and
// GIT_AUTH_TOKEN[.host] go to http(s) remotes. Rules and messages are those of
// BuildKit's source/git. Thread-safe. Throws registry errors.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "builder/build.h"
#include "builder/git_command.h"
#include "builder/git_reference.h"

namespace cbuild::builder {

class GitRepositories {
 public:
  GitRepositories(const BuildRequest& request, PlanEnvironment& environment)
      : request_(request), environment_(environment) {}

  // For a step's key: the commit and what is taken of it, not the remote.
  std::string identity(const GitReference& git);

  // A directory with the files; it stays while the store's lease is held.
  std::string fetch(const GitReference& git);

  // Seconds since the epoch.
  std::int64_t commit_time(const GitReference& git);

 private:
  struct Commit {
    std::string ref;     // its whole name, or an id
    std::string object;  // what that stands for: a commit or a tag
    std::string id;      // of the commit, where ls-remote told, else as object
  };
  struct Slot {
    std::mutex mutex;
    std::optional<Commit> commit;
  };

  Commit resolve(const GitReference& git);
  Commit ask(const GitReference& git) const;
  void fetch_into(GitCommand& repository, const GitReference& git,
                  const Commit& commit) const;
  GitCommand command(const GitReference& git) const;
  std::string repository_of(const GitReference& git,
                            const Commit& commit) const;
  // Calls `use` with the repository, which has the commit and is ours alone.
  template <typename Use>
  auto with_commit(const GitReference& git, const Commit& commit, Use&& use);

  const BuildRequest& request_;
  PlanEnvironment& environment_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // by remote and ref
};

}  // namespace cbuild::builder
