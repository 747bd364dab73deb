#include "runtime/resolve.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

// Components still to be walked, the next one last.
void push_components(std::vector<std::string>& todo, std::string_view path) {
  std::vector<std::string> parts = split(path, '/');
  std::reverse(parts.begin(), parts.end());
  todo.insert(todo.end(), parts.begin(), parts.end());
}

}  // namespace

std::string ResolvedPath::prefix(std::size_t count) const {
  if (count == 0) return ".";
  return join({parts.begin(), parts.begin() + static_cast<long>(count)}, "/");
}

ResolvedPath resolve_in_root(int root, std::string_view path,
                             const std::set<std::string>& mounts) {
  ResolvedPath result;
  std::vector<std::string> todo;
  push_components(todo, path);
  int links = 0;
  while (!todo.empty()) {
    const std::string part = todo.back();
    todo.pop_back();
    if (part.empty() || part == ".") continue;
    if (!result.parts.empty() && mounts.count(result.path()) > 0) {
      result.in_mount = true;
      return result;
    }
    if (part == "..") {
      if (!result.parts.empty()) result.parts.pop_back();
      result.existing = std::min(result.existing, result.parts.size());
      continue;
    }
    const bool reachable = result.exists();
    result.parts.push_back(part);
    if (!reachable) continue;
    const std::string here = result.path();
    const std::optional<struct stat> st = lstat_at(root, here);
    if (!st) continue;
    if (!S_ISLNK(st->st_mode)) {
      ++result.existing;
      continue;
    }
    if (++links > kMaxLinks)
      throw SystemError(ELOOP, "resolve", std::string(path));
    const std::string target = readlink_at(root, here);
    result.parts.pop_back();
    if (target.starts_with("/")) {
      result.parts.clear();
      result.existing = 0;
    }
    push_components(todo, target);
  }
  return result;
}

}  // namespace cbuild::runtime
