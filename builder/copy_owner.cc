#include <limits>
#include <optional>

#include "base/text.h"
#include "builder/copy_files.h"
#include "runtime/users.h"

namespace cbuild::builder {
namespace {

std::optional<std::uint32_t> number_of(const std::string& text) {
  if (text == "root") return 0;
  const std::optional<std::uint64_t> value = parse_number(text);
  // The highest number means "leave as it is" to chown(2).
  if (!value || *value >= std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

FileOwner owner_of_name(int root, const std::string& name) {
  if (name.empty()) return {};
  for (const runtime::PasswdEntry& entry : runtime::read_passwd(root))
    if (entry.name == name) return {entry.uid, entry.gid};
  return {};
}

std::optional<std::uint32_t> group_of_name(int root, const std::string& name) {
  if (name.empty()) return 0;
  for (const runtime::GroupEntry& entry : runtime::read_group(root))
    if (entry.name == name) return entry.gid;
  return std::nullopt;
}

bool is_name(const std::string& text) {
  return !text.empty() && !number_of(text);
}

}  // namespace

bool chown_has_names(const std::string& chown) {
  const std::size_t colon = chown.find(':');
  return is_name(chown.substr(0, colon)) ||
         (colon != std::string::npos && is_name(chown.substr(colon + 1)));
}

FileOwner resolve_owner(int root, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string user = text.substr(0, colon);
  FileOwner owner;
  if (const std::optional<std::uint32_t> uid = number_of(user))
    owner = {*uid, *uid};
  else
    owner = owner_of_name(root, user);
  if (colon == std::string::npos) return owner;

  // A group that is unknown leaves the user's own, an empty one is root's.
  const std::string group = text.substr(colon + 1);
  std::optional<std::uint32_t> gid = number_of(group);
  if (!gid) gid = group_of_name(root, group);
  if (gid) owner.gid = *gid;
  return owner;
}

}  // namespace cbuild::builder
