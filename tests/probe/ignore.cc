#include "parser/ignore.h"

#include <set>

#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

// A directory is kept for itself or for what is kept in it.
Json answer(const Json& question) {
  const std::vector<std::string> patterns =
      parser::read_ignore_file(question.at("ignore_file").get<std::string>());
  const parser::IgnoreMatcher matcher(patterns);
  std::set<std::string> kept;
  const auto paths = question.at("paths").get<std::vector<std::string>>();
  std::string pruned = "/";  // no path starts with it
  for (const std::string& path : paths) {
    if (path.starts_with(pruned)) continue;
    const bool is_directory = path.ends_with('/');
    const std::string name =
        is_directory ? path.substr(0, path.size() - 1) : path;
    if (is_directory && matcher.can_prune(name)) pruned = path;
    if (matcher.matches(name)) continue;
    kept.insert(path);
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1))
      kept.insert(path.substr(0, slash + 1));
  }
  Json in_order = Json::array();
  for (const std::string& path : paths)
    if (kept.count(path)) in_order.push_back(path);
  return {{"patterns", patterns}, {"kept", in_order}};
}

const Family family("ignore", answer);

}  // namespace
}  // namespace cbuild::probe
