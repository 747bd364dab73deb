#include "builder/file_view_links.h"

#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

using Look = std::function<std::optional<LinkStep>(const std::string&)>;

constexpr int kMostLinks = 255;  // as containerd's continuity has it

// Puts the components of `path` on the stack, the first on top.
void push_components(std::vector<std::string>& todo, const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  todo.insert(todo.end(), std::make_move_iterator(parts.rbegin()),
              std::make_move_iterator(parts.rend()));
}

void drop_last(std::string& path) {
  const std::size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

std::optional<std::string> follow(const std::string& path, const Look& look,
                                  bool missing_is_fine) {
  std::vector<std::string> todo;
  push_components(todo, path);
  std::string done;
  int links = 0;
  while (!todo.empty()) {
    const std::string part = std::move(todo.back());
    todo.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      drop_last(done);
      continue;
    }
    const std::string next = done.empty() ? part : done + "/" + part;
    const std::optional<LinkStep> step = look(next);
    if (!step && !missing_is_fine) return std::nullopt;
    if (step && step->target) {
      if (++links > kMostLinks) throw Error("/" + path + ": too many links");
      if (step->target->starts_with('/')) done.clear();
      push_components(todo, *step->target);
      continue;
    }
    if (step && !step->directory && !todo.empty() && !missing_is_fine) {
      // "file/." is the file in a Dockerfile, "file/x" is nothing.
      for (const std::string& rest : todo)
        if (!rest.empty() && rest != ".") return std::nullopt;
    }
    done = next;
  }
  return done;
}

}  // namespace

std::optional<std::string> follow_links(const std::string& path,
                                        const Look& look) {
  return follow(path, look, false);
}

std::string follow_existing_links(const std::string& path, const Look& look) {
  return *follow(path, look, true);
}

}  // namespace cbuild::builder
