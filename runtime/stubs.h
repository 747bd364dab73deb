// Mount points that an image lacks: made for one RUN, gone after it.
//
//   make()      before the command: /etc/hosts, /proc, each --mount target
//   remove()    after it, through the mount: what is still empty
//   tidy()      after the mount is gone: directories of the upper layer that
//               are only there because a stub was made below them
//
// What MountPoints lends from below the image is not made; where the command
// brought it to the upper layer and left it empty, tidy() takes it away.
//
// Times of parent directories never show that a stub came or went. So a RUN
// that writes nothing leaves an empty upper directory.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/mount_points.h"
#include "runtime/resolve.h"

namespace cbuild::runtime {

// The parts of `path` that are missing, as mkdir -p, to stay: a command's
// working directory.
void make_missing(int root, const ResolvedPath& path, std::uint32_t uid,
                  std::uint32_t gid);

class MountStubs {
 public:
  // `root`: the mounted overlay; kept open by the caller until remove().
  // `upper`: its upper directory. `points`: what lies below its layers.
  MountStubs(int root, std::string upper, const MountPoints& points)
      : root_(root), upper_(std::move(upper)), points_(points) {}

  // Makes `target` (a path of the image) a directory or file where nothing is
  // there. What lies inside an earlier target is left to the child, which can
  // see it once that one is mounted.
  void make(const std::string& target, bool directory);

  // As mkdir -p with owner, to stay: the command's working directory.
  void make_directory(const std::string& path, std::uint32_t uid,
                      std::uint32_t gid);

  void remove();
  void tidy();

 private:
  // What a directory looked like before it was copied to the upper layer.
  struct CopiedUp {
    std::string path;
    struct stat st;
    std::map<std::string, std::string> xattrs;
  };

  void note_copies(const ResolvedPath& path);
  void note_lent(const ResolvedPath& path);
  void tidy_copies(int upper);
  void tidy_lent(int upper);

  int root_;
  std::string upper_;
  const MountPoints& points_;
  std::set<std::string> mounted_;
  std::vector<std::string> made_;
  std::vector<CopiedUp> copied_;  // parents before children
  std::set<std::string> lent_;
};

}  // namespace cbuild::runtime
