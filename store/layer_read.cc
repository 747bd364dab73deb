#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "store/compress.h"
#include "store/content_digest.h"
#include "store/index_builder.h"
#include "store/layer_io.h"
#include "store/read_ahead.h"
#include "store/tar.h"
#include "store/tree_writer.h"

// One pass: decompression and the hash of the tar run on a thread ahead, this
// one takes the tar apart, hashes each file's content and writes it.

namespace cbuild::store {
namespace {

class LayerReader {
 public:
  LayerReader(ByteSource blob, int tree)
      : ahead_(watched(decompressed(std::move(blob)),
                       [this](std::string_view data) { plain_.update(data); })),
        tar_([this](char* b, std::size_t n) { return ahead_.read(b, n); },
             false) {
    if (tree != kNoTree) tree_.emplace(tree);
  }

  LayerContent read(int tree) {
    while (std::optional<IndexEntry> entry = tar_.next()) take(*entry);
    ahead_.finish();
    LayerContent content{builder_.finish(), plain_.finish(), {}};
    if (!tree_) return content;
    content.implied = tree_->finish(content.index);
    apply_attributes(tree, root_);
    return content;
  }

 private:
  void take(IndexEntry& entry);
  void take_file(IndexEntry& entry);

  Hasher plain_;  // ahead_'s until it has finished
  ReadAhead ahead_;
  TarReader tar_;
  std::optional<TreeWriter> tree_;
  IndexBuilder builder_;
  // The root directory: a tarball may say nothing of it.
  IndexEntry root_ = {.path = "", .type = EntryType::directory, .mode = 0755};
};

void LayerReader::take(IndexEntry& entry) {
  switch (builder_.place(entry)) {
    case IndexBuilder::Role::ignored:
      return;
    case IndexBuilder::Role::root:
      if (entry.type == EntryType::directory) root_ = entry;
      return;
    case IndexBuilder::Role::whiteout:
      builder_.add_whiteout(entry.path);
      return;
    case IndexBuilder::Role::opaque:
      builder_.add_opaque(entry.path);
      return;
    case IndexBuilder::Role::entry:
      break;
  }
  if (entry.type == EntryType::file)
    take_file(entry);
  else if (tree_ && entry.target != entry.path)
    tree_->add(entry);
  builder_.add(std::move(entry));
}

void LayerReader::take_file(IndexEntry& entry) {
  const auto unequal = [&] {
    return Error(entry.path + ": content and size do not agree");
  };
  ContentHasher hasher;
  std::uint64_t at = 0;
  if (tree_) tree_->begin_file(entry);
  std::string_view data;
  std::uint64_t offset = 0;
  while (tar_.read_block(data, offset)) {
    if (data.empty()) continue;
    if (offset < at || offset > entry.size) throw unequal();
    hasher.skip(offset - at);
    hasher.update(data);
    at = offset + data.size();
    if (tree_) tree_->write(data, offset);
  }
  if (at > entry.size) throw unequal();
  hasher.skip(entry.size - at);
  entry.content = hasher.finish();
  if (tree_) tree_->end_file(entry);
}

}  // namespace

LayerContent read_layer(ByteSource blob, int tree) {
  return LayerReader(std::move(blob), tree).read(tree);
}

}  // namespace cbuild::store
