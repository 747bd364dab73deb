#include "store/index_json.h"

#include "base/dir.h"
#include "base/error.h"
#include "store/damage.h"
#include "store/lock.h"

namespace cbuild::store {
namespace {

std::string file_of(const std::string& root) { return root + "/index.json"; }
std::string copy_of(const std::string& root) {
  return root + "/index.json.copy";
}

// nullopt where the file is damaged.
std::optional<Index> parse_file(const std::string& root) {
  const std::optional<std::string> text = read_file(file_of(root));
  if (!text)
    return Index{
        .media_type = media::kOciIndex, .manifests = {}, .annotations = {}};
  try {
    return parse_index(*text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Index> parse_copy(const std::string& root) {
  const std::optional<std::string> text = read_file(copy_of(root));
  if (!text) return std::nullopt;
  const std::size_t end = text->find('\n');
  if (end == text->npos) return std::nullopt;
  const std::string_view body = std::string_view(*text).substr(end + 1);
  if (sha256(body).hex() != text->substr(0, end)) return std::nullopt;
  return parse_index(body);
}

}  // namespace

Index read_index_json_locked(const std::string& root) {
  if (auto index = parse_file(root)) return std::move(*index);
  auto index = parse_copy(root);
  if (!index)
    throw Error(file_of(root) +
                " is damaged, and there is no good copy of it: remove it to "
                "go on without names");
  write_index_json(root, *index);
  report_damage("index.json is damaged: names are restored from its copy");
  return std::move(*index);
}

Index read_index_json(const std::string& root) {
  if (auto index = parse_file(root)) return std::move(*index);
  const FileLock lock(root + "/locks/index", LockMode::exclusive);
  return read_index_json_locked(root);
}

void write_index_json(const std::string& root, const Index& index) {
  const auto staging = Staging::of(root);
  const std::string text = to_json(index);
  staging->replace(file_of(root), text, true);
  staging->replace(copy_of(root), sha256(text).hex() + "\n" + text);
}

}  // namespace cbuild::store
