// Opens the directories that paths of an index lie in. Private to store/.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"

namespace cbuild::store {

// Keeps the last directory open: neighbours in an index share it. Never leads
// out of `root`, which must outlive the object.
class ParentDirs {
 public:
  struct Place {
    int dir;           // valid until the next call
    std::string name;  // last component
  };

  // `create` makes missing directories, mode 0700.
  ParentDirs(int root, bool create) : root_(root), create_(create) {}

  Place of(std::string_view path);
  // Must be called when a directory may have been removed.
  void forget() { open_ = Fd(); }

 private:
  Fd open_or_create(const std::string& path);

  int root_;
  bool create_;
  std::string path_;
  Fd open_;
};

}  // namespace cbuild::store
