#include "store/merged_index.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace cbuild::store {
namespace {

using Entries = std::vector<const IndexEntry*>;

bool below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

// The first position at or after `from` whose path is not less than `path`.
// Doubling steps: small layers over large ones look at few entries.
std::size_t seek(const Entries& entries, std::size_t from,
                 std::string_view path) {
  std::size_t step = 1;
  std::size_t high = from;
  while (high < entries.size() && path_less(entries[high]->path, path)) {
    from = high + 1;
    high += step;
    step *= 2;
  }
  high = std::min(high, entries.size());
  return static_cast<std::size_t>(
      std::partition_point(
          entries.begin() + static_cast<std::ptrdiff_t>(from),
          entries.begin() + static_cast<std::ptrdiff_t>(high),
          [&](const IndexEntry* e) { return path_less(e->path, path); }) -
      entries.begin());
}

// The end of what lies below `directory`, which starts at or after `from`.
std::size_t seek_past(const Entries& entries, std::size_t from,
                      std::string_view directory) {
  return static_cast<std::size_t>(
      std::partition_point(
          entries.begin() + static_cast<std::ptrdiff_t>(from), entries.end(),
          [&](const IndexEntry* e) { return below(e->path, directory); }) -
      entries.begin());
}

// `lower` with `upper` put on top.
Entries overlaid(const Entries& lower, const LayerIndex& upper) {
  Entries result;
  result.reserve(lower.size() + upper.entries.size());
  std::size_t at = 0;
  for (const IndexEntry& entry : upper.entries) {
    const std::size_t next = seek(lower, at, entry.path);
    result.insert(result.end(), lower.begin() + static_cast<std::ptrdiff_t>(at),
                  lower.begin() + static_cast<std::ptrdiff_t>(next));
    at = next;
    const bool replaces = at < lower.size() && lower[at]->path == entry.path;
    if (replaces) ++at;
    const bool merges = entry.type == EntryType::directory && !entry.opaque;
    // Also without an entry of the same path: directories may be implied.
    if (!merges) at = seek_past(lower, at, entry.path);
    if (replaces && merges && lower[at - 1]->type != EntryType::directory)
      at = seek_past(lower, at, entry.path);
    if (entry.type != EntryType::whiteout) result.push_back(&entry);
  }
  result.insert(result.end(), lower.begin() + static_cast<std::ptrdiff_t>(at),
                lower.end());
  return result;
}

const IndexEntry* find_in(const Entries& entries, std::string_view path) {
  const std::size_t at = seek(entries, 0, path);
  return at < entries.size() && entries[at]->path == path ? entries[at]
                                                          : nullptr;
}

// A directory that no layer has an entry for, but something below it.
IndexEntry implied_directory(std::string_view path) {
  IndexEntry entry;
  entry.path = path;
  entry.type = EntryType::directory;
  entry.mode = 0755;
  return entry;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{}
                                         : path.substr(0, slash);
}

Entries with_implied(const Entries& entries, std::deque<IndexEntry>& made) {
  Entries result;
  result.reserve(entries.size());
  std::vector<std::string_view> open;  // directories that enclose the entry
  for (const IndexEntry* entry : entries) {
    while (!open.empty() && !below(entry->path, open.back())) open.pop_back();
    const std::string_view parent = parent_of(entry->path);
    while ((open.empty() ? std::string_view{} : open.back()) != parent) {
      const std::size_t known = open.empty() ? 0 : open.back().size() + 1;
      const std::size_t end = parent.find('/', known);
      made.push_back(implied_directory(parent.substr(0, end)));
      result.push_back(&made.back());
      open.push_back(made.back().path);
    }
    result.push_back(entry);
    if (entry->type == EntryType::directory) open.push_back(entry->path);
  }
  return result;
}

}  // namespace

MergedIndex::MergedIndex(
    const std::vector<std::shared_ptr<const LayerIndex>>& layers)
    : layers_(layers) {
  for (const auto& layer : layers_) entries_ = overlaid(entries_, *layer);
  entries_ = with_implied(entries_, made_);
  restore_links();
}

// A hard link whose first name an upper layer replaced or removed is the file
// itself now: it gets what the first name had.
void MergedIndex::restore_links() {
  // Where an entry came from, by address: entries of one layer lie together.
  const auto layer_of = [&](const IndexEntry* entry) -> const LayerIndex* {
    for (const auto& layer : layers_)
      if (!layer->entries.empty() && entry >= &layer->entries.front() &&
          entry <= &layer->entries.back())
        return layer.get();
    return nullptr;
  };
  std::unordered_map<const IndexEntry*, const IndexEntry*> first_left;
  for (const IndexEntry*& entry : entries_) {
    if (entry->type != EntryType::hardlink) continue;
    const LayerIndex* layer = layer_of(entry);
    const IndexEntry* original =
        layer == nullptr ? nullptr : layer->find(entry->target);
    if (original == nullptr || find_in(entries_, entry->target) == original)
      continue;
    const IndexEntry*& first = first_left[original];
    made_.push_back(first == nullptr ? *original : *entry);
    made_.back().path = entry->path;
    if (first == nullptr)
      first = &made_.back();
    else
      made_.back().target = first->path;
    entry = &made_.back();
  }
}

const IndexEntry* MergedIndex::find(std::string_view path) const {
  return find_in(entries_, path);
}

std::pair<std::size_t, std::size_t> MergedIndex::range(
    std::string_view path) const {
  if (path.empty()) return {0, entries_.size()};
  const std::size_t begin = seek(entries_, 0, path);
  if (begin == entries_.size() || entries_[begin]->path != path)
    return {begin, begin};
  return {begin, seek_past(entries_, begin + 1, path)};
}

std::optional<std::string> MergedIndex::resolve(std::string_view path) const {
  constexpr int kMostLinks = 255;  // as Go's and BuildKit's resolvers allow
  // Components still to be walked, the next one last.
  std::vector<std::string> todo = split(path, '/');
  std::reverse(todo.begin(), todo.end());
  std::string at;
  int links = 0;
  while (!todo.empty()) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      at = parent_of(at);
      continue;
    }
    const std::string next = at.empty() ? part : at + "/" + part;
    const IndexEntry* entry = find(next);
    if (entry == nullptr) return std::nullopt;
    if (entry->type == EntryType::symlink) {
      if (++links > kMostLinks) return std::nullopt;
      if (entry->target.starts_with('/')) at.clear();
      std::vector<std::string> parts = split(entry->target, '/');
      todo.insert(todo.end(), parts.rbegin(), parts.rend());
      continue;
    }
    // What is no directory must be the last component.
    if (entry->type != EntryType::directory && !todo.empty()) {
      const bool more = std::any_of(
          todo.begin(), todo.end(),
          [](const std::string& p) { return !p.empty() && p != "."; });
      if (more) return std::nullopt;
    }
    at = next;
  }
  return at;
}

}  // namespace cbuild::store
