#include "builder/layer_notes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string_view>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{1} << 30;
constexpr std::string_view kWhiteout = ".wh.";

std::uint64_t allocated(int tree, const std::string& path) {
  const Fd file = open_in_root(tree, path, O_PATH | O_NOFOLLOW);
  struct stat st;
  check(::fstat(file.get(), &st), "stat", path);
  return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

}  // namespace

void LayerNotes::Finding::add(const std::string& text) {
  if (count_++ == 0) first_ = text;
}

void LayerNotes::Finding::tell() const {
  if (count_ == 0) return;
  warn(count_ == 1
           ? first_
           : first_ + " (and " + std::to_string(count_ - 1) + " more like it)");
}

void LayerNotes::add(const store::IndexEntry& entry) {
  using store::EntryType;
  const std::string_view path = entry.path;
  const std::size_t name_at = path.rfind('/') + 1;  // npos + 1 is 0
  if (entry.type == EntryType::socket)
    sockets_.add("/" + entry.path +
                 " is a socket: layers hold none, the image is without it");
  if (path.substr(name_at).starts_with(kWhiteout))
    whiteouts_.add("/" + entry.path + ": a file of this name deletes /" +
                   std::string(path.substr(0, name_at)) +
                   std::string(path.substr(name_at + kWhiteout.size())) +
                   " when its layer is unpacked");
  if (entry.type != EntryType::file || entry.size < kLarge) return;
  const std::uint64_t real = allocated(tree_, entry.path);
  if (real < entry.size / 10)
    sparse_.add("/" + entry.path + " is sparse: " + human_size(real) +
                " on disk are " + human_size(entry.size) +
                " in the layer's tarball");
}

void LayerNotes::tell() const {
  for (const Finding* finding : {&sockets_, &whiteouts_, &sparse_})
    finding->tell();
}

}  // namespace cbuild::builder
