// A context that is a directory of the user's: its Dockerfile and its ignore
// file. Only read.
#pragma once

#include <string>
#include <vector>

#include "builder/build.h"

namespace cbuild::builder {

// The Dockerfile's text and where it came from.
struct DockerfileText {
  std::string name;  // as shown in messages
  std::string path;  // of a file of this machine, else empty
  std::string text;
};

// `-f`, else Dockerfile, else dockerfile in the directory. Throws UsageError.
DockerfileText read_local_dockerfile(const BuildRequest& request);

// The paths where it may be, in order; `directory` ends in a slash or is empty.
std::vector<std::string> dockerfile_paths(const BuildRequest& request,
                                          const std::string& directory);
[[noreturn]] void throw_no_dockerfile(const std::string& path);

// The patterns of an ignore file, and where each one stands: ".dockerignore:3".
struct IgnoreRules {
  std::vector<std::string> patterns;
  std::vector<std::string> places;
};

// Of the file at `path`, called `name`. None where there is no such file; a
// directory of that name is none.
IgnoreRules read_ignore(const std::string& path, const std::string& name);

// <Dockerfile>.dockerignore, else <directory>/.dockerignore; both arguments may
// be empty.
IgnoreRules ignore_rules(const std::string& directory,
                         const std::string& dockerfile_path);

bool is_directory(const std::string& path);

}  // namespace cbuild::builder
