#include "runtime/separate_links.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"
#include "runtime/tree_copy.h"

namespace cbuild::runtime {
namespace {

using Layers = std::vector<std::string>;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

void find_linked(int dir, const std::string& prefix,
                 std::vector<std::string>& found) {
  for (const std::string& name : list_dir(dir)) {
    const std::optional<struct stat> st = lstat_at(dir, name);
    if (!st) continue;
    if (S_ISDIR(st->st_mode))
      find_linked(openat_path(dir, name, kDirectory).get(), prefix + name + "/",
                  found);
    else if (st->st_nlink > 1 && !is_whiteout_at(dir, name, *st))
      found.push_back(prefix + name);
  }
}

// A layer does not change, so this is asked once of each.
const std::vector<std::string>& linked_in(const std::string& layer) {
  static std::mutex mutex;
  static std::map<std::string, std::vector<std::string>> known;
  const std::lock_guard lock(mutex);
  const auto [entry, absent] = known.try_emplace(layer);
  if (absent)
    find_linked(open_path(layer, kDirectory).get(), "", entry->second);
  return entry->second;
}

// Whether `layer` hides what those below it have at `path`.
bool hides(const std::string& layer, const std::string& path) {
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    const std::string prefix = layer + "/" + path.substr(0, slash);
    const std::optional<struct stat> st = lstat_at(AT_FDCWD, prefix);
    if (!st) return false;
    if (!S_ISDIR(st->st_mode) || is_opaque(open_path(prefix, kDirectory).get()))
      return true;
  }
  return true;  // a directory in its place
}

bool is_visible(const Layers& lowers, std::size_t number,
                const std::string& path) {
  for (std::size_t above = 0; above < number; ++above)
    if (hides(lowers[above], path)) return false;
  return true;
}

// The directory in the topmost layer that has it.
std::string topmost(const Layers& lowers, const std::string& path) {
  for (const std::string& lower : lowers)
    if (lstat_at(AT_FDCWD, lower + "/" + path)) return lower + "/" + path;
  throw SystemError(ENOENT, "stat", path);
}

class Separation {
 public:
  Separation(const Layers& lowers, const std::string& directory)
      : lowers_(lowers), root_(open_path(directory, O_RDONLY | O_DIRECTORY)) {}

  void add(const std::string& layer, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string parent =
        slash == std::string::npos ? "" : path.substr(0, slash);
    make_parents(parent);
    const Fd to = openat_path(root_.get(), parent.empty() ? "." : parent,
                              O_RDONLY | O_DIRECTORY);
    const Fd from = open_path(layer + "/" + parent, O_RDONLY | O_DIRECTORY);
    copy_entry_of_layer(from.get(), path.substr(slash + 1), to.get());
  }

  // The directories look as they did.
  void finish() {
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
      const Fd from = open_path(topmost(lowers_, *path), kDirectory);
      struct stat st;
      check(::fstat(from.get(), &st), "stat", *path);
      const Fd to = openat_path(root_.get(), *path, kDirectory);
      copy_directory_attributes(from.get(), st, to.get());
    }
  }

  bool any() const { return any_; }

 private:
  void make_parents(const std::string& path) {
    any_ = true;
    if (path.empty()) return;
    for (std::size_t slash = 0; slash != std::string::npos;) {
      slash = path.find('/', slash + 1);
      const std::string prefix = path.substr(0, slash);
      if (::mkdirat(root_.get(), prefix.c_str(), 0700) == 0)
        made_.push_back(prefix);
      else if (errno != EEXIST)
        throw_system_error("mkdir", prefix);
    }
  }

  const Layers& lowers_;
  Fd root_;
  std::vector<std::string> made_;  // parents before children
  bool any_ = false;
};

}  // namespace

bool separate_links(const std::vector<std::string>& lowers,
                    const std::string& directory) {
  Separation separation(lowers, directory);
  for (std::size_t number = 0; number < lowers.size(); ++number)
    for (const std::string& path : linked_in(lowers[number]))
      if (is_visible(lowers, number, path))
        separation.add(lowers[number], path);
  separation.finish();
  return separation.any();
}

}  // namespace cbuild::runtime
