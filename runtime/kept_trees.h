// Copies of layers that steps are done with (copy_view.h), for the step that
// comes on top: it has to copy the layer between them alone, and not the image.
//
// When a step has ended, its copy shows the layers below it, without what was
// moved into its upper directory. That directory becomes the next layer as it
// is, by a rename, so that its inode tells whether a layer is it.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/dir.h"

namespace cbuild::runtime {

// Any thread. Throws SystemError.
class KeptTrees {
 public:
  // `scratch` makes a directory on the file system of the layers.
  explicit KeptTrees(std::function<TempDir()> scratch)
      : scratch_(std::move(scratch)) {}

  // Takes the directory `tree`: a copy of `lowers`, top first, without what
  // `upper` has. Few are kept; the oldest goes.
  void offer(const std::string& tree, std::vector<std::string> lowers,
             const std::string& upper);

  // A copy of `lowers` without what the topmost of them has, as "tree" in the
  // directory. It is the caller's.
  std::optional<TempDir> take(const std::vector<std::string>& lowers);

 private:
  // Of a directory, wherever it is renamed to.
  struct Identity {
    std::uint64_t device, inode;
    std::int64_t born;
    bool operator==(const Identity&) const = default;
  };
  struct Kept {
    TempDir directory;
    std::vector<std::string> lowers;
    Identity upper;
  };
  static Identity identity_of(const std::string& directory);

  const std::function<TempDir()> scratch_;
  std::mutex mutex_;
  std::vector<Kept> kept_;  // oldest first
};

}  // namespace cbuild::runtime
