// A commit's files, from a repository of ours into a directory.
#pragma once

#include <string>

#include "builder/git_command.h"
#include "builder/git_reference.h"

namespace cbuild::builder {

// What is to be checked out, from where.
struct GitCheckout {
  const GitReference& git;
  std::string repository;  // bare, has the object; gets its submodules' too
  std::string ref;         // whole name, or an id: what .git will call it
  std::string object;      // commit or tag
};

// Puts the files below the empty directory `workplace` and returns where: with
// submodules unless they are not wanted, without .git unless it is, the
// subdirectory alone if there is one. Files are 0644 or 0755. `command`: for
// requests to other hosts.
std::string check_out(const GitCheckout& checkout, const GitCommand& command,
                      const std::string& workplace);

}  // namespace cbuild::builder
