#include "store/index_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "store/xattrs.h"

namespace cbuild::store {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kAufs = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

// Below the root, without leading slash, "." and "..".
std::string below_root(std::string_view name) {
  return clean_path("/" + std::string(name)).substr(1);
}

std::pair<std::string_view, std::string_view> split_last(
    std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string joined(const std::string& parent, std::string_view name) {
  return parent.empty() ? std::string(name) : parent + "/" + std::string(name);
}

bool inside(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

}  // namespace

std::string IndexBuilder::resolve_parent(std::string_view parent) const {
  // Components still to be walked, the next one last.
  std::vector<std::string> todo = split(parent, '/');
  std::reverse(todo.begin(), todo.end());
  std::string at;
  int followed = 0;
  while (!todo.empty()) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      at = split_last(at).first;
      continue;
    }
    std::string next = joined(at, part);
    const auto node = nodes_.find(next);
    if (node != nodes_.end() && node->second.entry.type == EntryType::symlink) {
      if (++followed > 40)
        throw Error(std::string(parent) + ": too many symbolic links");
      const std::string& target = node->second.entry.target;
      if (target.starts_with('/')) at.clear();
      const std::vector<std::string> parts = split(target, '/');
      todo.insert(todo.end(), parts.rbegin(), parts.rend());
      continue;
    }
    if (node != nodes_.end() &&
        node->second.entry.type != EntryType::whiteout &&
        node->second.entry.type != EntryType::directory)
      throw Error(next + " is not a directory, but has entries below it");
    at = std::move(next);
  }
  return at;
}

std::string IndexBuilder::locate(std::string_view name) const {
  std::string path = below_root(name);
  const auto [parent, base] = split_last(path);
  if (parent.empty()) return path;
  // Without links the only question is whether the parent is a directory.
  const auto node = nodes_.find(parent);
  const bool plain =
      node != nodes_.end() && node->second.entry.type == EntryType::directory;
  if (plain && links_ == 0) return path;
  return joined(resolve_parent(parent), base);
}

IndexBuilder::Role IndexBuilder::place(IndexEntry& entry) const {
  entry.path = locate(entry.path);
  if (entry.path.empty()) return Role::root;
  std::erase_if(entry.xattrs, [](const auto& xattr) {
    return is_reserved_xattr(xattr.first);
  });
  // overlayfs' own whiteout, as some tools leave it in a layer: every overlay
  // mount takes the node for one, whatever the index says.
  if (entry.type == EntryType::character_device && entry.dev_major == 0 &&
      entry.dev_minor == 0)
    return Role::whiteout;
  const auto [parent, name] = split_last(entry.path);
  if (name == kOpaque) {
    entry.path = std::string(parent);
    return Role::opaque;
  }
  if (name.starts_with(kAufs)) return Role::ignored;
  if (name.starts_with(kWhiteout) && name.size() > kWhiteout.size()) {
    const std::string hidden(name.substr(kWhiteout.size()));
    if (hidden == "." || hidden == "..")
      throw Error("invalid whiteout " + entry.path);
    entry.path = joined(std::string(parent), hidden);
    return Role::whiteout;
  }
  if (entry.type == EntryType::hardlink) {
    entry.target = locate(entry.target);
    const auto target = nodes_.find(entry.target);
    if (target == nodes_.end() ||
        target->second.entry.type == EntryType::whiteout ||
        target->second.entry.type == EntryType::directory)
      throw Error(entry.path + " is a hard link to " + entry.target +
                  ", which is no file of the layer");
  }
  return Role::entry;
}

void IndexBuilder::erase_below(Nodes::iterator directory) {
  auto end = std::next(directory);
  while (end != nodes_.end() && inside(end->first, directory->first)) ++end;
  nodes_.erase(std::next(directory), end);
}

void IndexBuilder::add(IndexEntry entry) {
  Node node;
  if (entry.type == EntryType::hardlink) {
    // A link to itself changes nothing.
    if (entry.target == entry.path) return;
    node = nodes_.at(entry.target);
    node.entry.path = entry.path;
  } else {
    node.inode = next_inode_++;
    node.entry = std::move(entry);
  }
  if (node.entry.type == EntryType::symlink) ++links_;
  std::string path = node.entry.path;
  const auto [at, is_new] = nodes_.try_emplace(std::move(path));
  IndexEntry& old = at->second.entry;
  if (!is_new) {
    const bool directory = node.entry.type == EntryType::directory;
    if (directory && old.type == EntryType::directory)
      node.entry.opaque = old.opaque;
    else
      erase_below(at);
    // The lower layers' content stays hidden below the new directory.
    if (directory && old.type == EntryType::whiteout) node.entry.opaque = true;
  } else if (node.entry.type != EntryType::directory) {
    erase_below(at);  // directories without an entry of their own
  }
  at->second = std::move(node);
}

void IndexBuilder::add_whiteout(const std::string& path) {
  const auto [at, is_new] = nodes_.try_emplace(path);
  IndexEntry& entry = at->second.entry;
  if (is_new) {
    entry.path = path;
    entry.type = EntryType::whiteout;
    // Entries below it belong to this layer: it is an opaque directory then.
    const auto next = std::next(at);
    if (next != nodes_.end() && inside(next->first, path)) {
      entry.type = EntryType::directory;
      entry.mode = 0755;
      entry.opaque = true;
    }
  } else if (entry.type == EntryType::directory) {
    entry.opaque = true;
  }
}

void IndexBuilder::add_opaque(const std::string& directory) {
  if (directory.empty()) return;  // below the lowest root there is nothing
  const auto [at, is_new] = nodes_.try_emplace(directory);
  IndexEntry& entry = at->second.entry;
  if (is_new || entry.type == EntryType::whiteout) {
    entry.path = directory;
    entry.type = EntryType::directory;
    entry.mode = 0755;
  }
  entry.opaque = entry.type == EntryType::directory;
}

bool IndexBuilder::is_directory(std::string_view path) const {
  const auto node = nodes_.find(path);
  return node != nodes_.end() &&
         node->second.entry.type == EntryType::directory;
}

LayerIndex IndexBuilder::finish() {
  LayerIndex index;
  index.entries.reserve(nodes_.size());
  std::map<std::uint64_t, std::string> first_names;
  for (auto& [path, node] : nodes_) {
    IndexEntry entry = std::move(node.entry);
    if (node.inode != 0 && entry.type != EntryType::directory) {
      const auto [first, is_first] = first_names.try_emplace(node.inode, path);
      if (!is_first) {
        entry.type = EntryType::hardlink;
        entry.target = first->second;
        entry.size = entry.dev_major = entry.dev_minor = 0;
        entry.content.reset();
        entry.xattrs.clear();
      }
    }
    index.entries.push_back(std::move(entry));
  }
  nodes_.clear();
  return index;
}

}  // namespace cbuild::store
