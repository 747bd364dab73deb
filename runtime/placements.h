// What a RUN would get mounted, put into its tree instead, and taken out again:
// for where nothing may be mounted.
//
// What stands at a target is moved aside and comes back; directories on the way
// that are missing are made and removed again where they are still empty. Times
// of parents are kept, so that nothing of it is a change. Limits, read-only and
// the like cannot be had this way; a bind is a copy.
//
// One thread; no command may run while it is made or removed. Throws
// SystemError.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "runtime/runner.h"

namespace cbuild::runtime {

class Placements {
 public:
  // `root`: the tree, open until remove(). `aside`: an empty directory on the
  // same file system.
  Placements(int root, std::string aside)
      : root_(root), aside_(std::move(aside)) {}

  void directory(const std::string& target, unsigned mode);
  void file(const SecretMount& file);
  void link(const std::string& target, const std::string& text);
  void character_device(const std::string& target, unsigned major,
                        unsigned minor);
  // A socket that the returned descriptor listens on.
  Fd socket(const SocketMount& socket);
  // A copy of the source. Where the mount can be written to and its writes are
  // not discarded, remove() puts what the copy has become in its place.
  void bind(const BindMount& bind);

  void remove();

 private:
  struct Place {
    std::string path;         // in the tree, without links
    std::string moved;        // what stood there, below aside_; or ""
    std::string give_back;    // directory to be replaced by what is there now
    std::size_t parents = 0;  // made for it: so many of made_
  };
  // Where to make something that is not there.
  struct Spot {
    Fd parent;
    std::string name;
  };

  Spot clear(const std::string& target);
  void make_parent(int parent, const std::string& name,
                   const std::string& path);
  void remove(const Place& place);
  void give_back(int parent, const std::string& name,
                 const std::string& directory);

  int root_;
  std::string aside_;
  std::vector<Place> places_;
  std::vector<std::string> made_;
};

}  // namespace cbuild::runtime
