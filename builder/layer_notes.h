// What a user should hear of a layer that is being made.
#pragma once

#include <cstddef>
#include <string>

#include "store/layer_index.h"

namespace cbuild::builder {

// One line of warning for each kind of oddity, naming the first such file:
//   sockets, which a layer cannot hold;
//   names that begin with .wh., which in a layer delete another file;
//   files of a gigabyte and more that are nearly all holes, because the layer's
//   tarball has their zeros.
class LayerNotes {
 public:
  // `tree` outlives the notes.
  explicit LayerNotes(int tree) : tree_(tree) {}

  void add(const store::IndexEntry& entry);
  void tell() const;

 private:
  // The first of some files, and how many there are.
  class Finding {
   public:
    void add(const std::string& text);
    void tell() const;

   private:
    std::string first_;
    std::size_t count_ = 0;
  };

  int tree_;
  Finding sockets_;
  Finding whiteouts_;
  Finding sparse_;
};

}  // namespace cbuild::builder
