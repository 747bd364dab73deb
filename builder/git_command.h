// The git program, as builds use it: away from whoever runs cbuild.
//
// Neither the system's nor the user's configuration is read (filters, rewritten
// URLs, credential helpers would change what a build sees), but what ssh needs
// and proxies and certificates from the environment. Nothing is prompted for.
// Only http, https, ssh and git are spoken: a repository cannot lead a
// submodule to files of this machine. What may be secret goes through the
// environment and never stands in a command line.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process.h"

namespace cbuild::builder {

class GitCommand {
 public:
  explicit GitCommand(const std::atomic<bool>* stop) : stop_(stop) {}

  // The repository, and where its files go.
  std::string git_dir;
  std::string work_tree;
  std::string index_file;
  // Of this machine: what is fetched is a repository of ours.
  bool local = false;
  // "Authorization" of requests to URLs that start with the first.
  std::optional<std::pair<std::string, std::string>> authorization;

  // Standard output. Throws CredentialsError where the other side refused who
  // we are, RegistryError for all else that git says, also where there is no
  // git program.
  std::string run(const std::vector<std::string>& arguments) const;
  // nullopt where git fails.
  std::optional<std::string> try_run(
      const std::vector<std::string>& arguments) const;

 private:
  ProgramResult execute(const std::vector<std::string>& arguments) const;
  std::vector<std::string> environment() const;

  const std::atomic<bool>* stop_;
};

}  // namespace cbuild::builder
