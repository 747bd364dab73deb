#include "builder/file_view_layers.h"

#include "base/error.h"

namespace cbuild::builder {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// A directory that an archive holds files of but no entry for.
ViewEntry implied_directory(std::string name) {
  ViewEntry entry;
  entry.name = std::move(name);
  entry.type = store::EntryType::directory;
  entry.mode = 0755;
  return entry;
}

}  // namespace

LayerTree::LayerTree(std::shared_ptr<const store::MergedIndex> index)
    : index_(std::move(index)) {
  for (const store::IndexEntry* entry : index_->entries())
    if (entry->type == store::EntryType::hardlink)
      linked_.insert(entry->target);
}

ViewEntry LayerTree::entry_of(const store::IndexEntry& found,
                              std::string name) const {
  const store::IndexEntry* file = &found;
  if (found.type == store::EntryType::hardlink) {
    file = index_->find(found.target);
    if (!file)
      throw Error(found.path + ": the hard link's target " + found.target +
                  " is missing");
  }
  ViewEntry entry;
  entry.name = std::move(name);
  entry.type = file->type;
  entry.mode = file->mode;
  entry.uid = file->uid;
  entry.gid = file->gid;
  entry.dev_major = file->dev_major;
  entry.dev_minor = file->dev_minor;
  entry.linked = file != &found || linked_.contains(found.path);
  entry.size = file->size;
  entry.mtime_seconds = file->mtime_seconds;
  entry.mtime_nanoseconds = file->mtime_nanoseconds;
  entry.indexed = file;
  return entry;
}

std::optional<ViewEntry> LayerTree::find(const std::string& path) const {
  if (path.empty()) return implied_directory("");
  if (const store::IndexEntry* found = index_->find(path))
    return entry_of(*found, base_name(path));
  const auto [first, last] = index_->range(path);
  if (first == last) return std::nullopt;
  return implied_directory(base_name(path));
}

// Entries are sorted with '/' lowest: what lies in a directory comes right
// after it, and the next name after all of that.
std::vector<ViewEntry> LayerTree::list(const std::string& path) const {
  std::vector<ViewEntry> children;
  const auto& entries = index_->entries();
  auto [at, end] = index_->range(path);
  const std::size_t skip = path.empty() ? 0 : path.size() + 1;
  while (at < end) {
    const std::string& below = entries[at]->path;
    if (below.size() < skip || below == path) {
      ++at;  // the directory itself
      continue;
    }
    const std::size_t slash = below.find('/', skip);
    const std::string child = below.substr(0, slash);
    if (slash == std::string::npos)
      children.push_back(entry_of(*entries[at], child.substr(skip)));
    else
      children.push_back(implied_directory(child.substr(skip)));
    at = std::max(at + 1, index_->range(child).second);
  }
  return children;
}

store::Digest LayerTree::content(const std::string& path,
                                 const ViewEntry& entry) const {
  if (!entry.indexed || !entry.indexed->content)
    throw Error("/" + path + ": the layer's index has no digest of it");
  return *entry.indexed->content;
}

Xattrs LayerTree::xattrs(const std::string&, const ViewEntry& entry) const {
  Xattrs kept;
  if (!entry.indexed) return kept;
  for (const auto& [name, value] : entry.indexed->xattrs)
    if (copied_xattr(name)) kept.emplace(name, value);
  return kept;
}

std::string LayerTree::link_target(const std::string&,
                                   const ViewEntry& entry) const {
  return entry.indexed ? entry.indexed->target : std::string();
}

std::string LayerTree::link_id(const std::string& path,
                               const ViewEntry& entry) const {
  if (!entry.linked) return {};
  return entry.indexed ? entry.indexed->path : path;
}

}  // namespace cbuild::builder
