// Where a COPY, ADD or WORKDIR writes: directories below a root that is not the
// process's own.
//
// Paths are relative to the root, cleaned and without links once
// resolve_destination has been over them; "" is the root itself.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "builder/copy_files.h"

namespace cbuild::builder {

// Follows links, the last component's too, as if `root` were "/". What does not
// exist is taken as it is written, so that a dangling link leads to the place
// where its target is to be.
std::string resolve_destination(int root, const std::string& path);

// How a directory that is missing gets made.
struct NewDirectory {
  std::uint32_t mode = 0755;       // permission bits
  std::optional<FileOwner> owner;  // else root, or a setgid parent's group
};

// mkdir -p for a path without links; existing directories are left untouched.
// Returns the paths of those it made, outermost first. Throws Error
// "mkdir /f: not a directory" where something on the way is none.
std::vector<std::string> make_missing(int root, const std::string& path,
                                      const NewDirectory& style);

// Opens a directory of a path without links.
Fd open_directory(int root, const std::string& path);

// Removes what has the name, unless it is a directory: throws Error "cannot
// replace to directory /x with file". `path` is for messages. `contents` may
// have known what was there.
void clear_place(int directory, const std::string& name,
                 const std::string& path, store::KnownContents& contents);

// Runs `make`, which returns -1 and sets errno as a system call does; when the
// name is taken, clears it and tries once more.
template <typename Make>
int make_in_place(int directory, const std::string& name,
                  const std::string& path, const char* call,
                  store::KnownContents& contents, Make&& make) {
  int made = make();
  if (made == -1 && errno == EEXIST) {
    clear_place(directory, name, path, contents);
    made = make();
  }
  return check(made, call, "/" + path);
}

// Sets the times of an open file; `path` is for messages.
void set_time(int fd, std::int64_t seconds, std::uint32_t nanoseconds,
              const std::string& path);

// Sets it to now, or to `latest` if that is given.
void set_time_now(int fd, const std::optional<std::int64_t>& latest,
                  const std::string& path);

// The directory part of a path without links, and the last component.
std::string parent_path(const std::string& path);
std::string last_component(const std::string& path);

}  // namespace cbuild::builder
