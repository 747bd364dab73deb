#include <charconv>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "builder/copy_files.h"
#include "runtime/users.h"

namespace cbuild::builder {
namespace {

// As Go's ParseInt(text, 10, 32), which BuildKit reads ids with: a higher
// number is a name. chown(2) takes -1 as "leave it", and what a copy makes is
// root's.
std::optional<std::uint32_t> number_of(std::string_view text) {
  if (text == "root") return 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [last, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || last != end) return std::nullopt;
  return value == -1 ? 0 : static_cast<std::uint32_t>(value);
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

std::string unresolvable_owner(const std::string& text) {
  const std::size_t colon = text.find(':');
  const bool named =
      is_name(text.substr(0, colon)) ||
      (colon != std::string::npos && is_name(text.substr(colon + 1)));
  if (!named) return "";
  return "invalid user index: -1: there is no /etc/passwd to look up " +
         go_quote(text) +
         " in: --link and a stage without files need numeric ids";
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
