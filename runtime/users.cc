#include "runtime/users.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr off_t kMaxFileSize = 10 << 20;

// The lines of a user database; none where it is absent or no regular file.
std::vector<std::string> read_lines(int root, const std::string& path) {
  // O_NONBLOCK: the image may have put a fifo there.
  const std::optional<Fd> file =
      try_open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return {};
  struct stat st;
  check(::fstat(file->get(), &st), "stat", path);
  if (!S_ISREG(st.st_mode)) return {};
  if (st.st_size > kMaxFileSize)
    throw Error(go_quote(path) + " exceeds " + std::to_string(kMaxFileSize) +
                " bytes");
  return split(read_all(file->get(), path), '\n');
}

// Go's strconv.Atoi with the error thrown away, as moby/sys/user does.
std::uint32_t lenient_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return 0;
  return static_cast<std::uint32_t>(value);
}

std::string field(const std::vector<std::string>& fields, std::size_t i) {
  return i < fields.size() ? fields[i] : std::string();
}

// An id as the user wrote it: nullopt where it is no number.
std::optional<std::uint32_t> parse_id(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::string_view digits = text;
  if (digits.front() == '+') digits.remove_prefix(1);
  std::int64_t value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, code] = std::from_chars(digits.data(), last, value);
  if (end != last || digits.empty() || code == std::errc::invalid_argument)
    return std::nullopt;
  if (code == std::errc::result_out_of_range || value < 0 ||
      value > std::numeric_limits<std::int32_t>::max())
    throw Error("uids and gids must be in range 0-2147483647");
  return static_cast<std::uint32_t>(value);
}

// One half of a pair that is taken without looking it up.
std::optional<std::uint32_t> parse_plain_id(std::string_view text) {
  if (text == "root") return 0;
  const std::optional<std::uint64_t> value = parse_number(text);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::string home_of(const std::vector<PasswdEntry>& users, std::uint32_t uid) {
  for (const PasswdEntry& user : users)
    if (user.uid == uid) return user.home.empty() ? "/" : user.home;
  return "/";
}

std::uint32_t find_group(const std::vector<GroupEntry>& groups,
                         const std::string& wanted) {
  const std::optional<std::uint32_t> gid = parse_id(wanted);
  if (gid) return *gid;
  for (const GroupEntry& group : groups)
    if (group.name == wanted) return group.gid;
  throw UserError("unable to find group " + wanted +
                  ": no matching entries in group file");
}

// A number is always a uid, even where passwd has a user of that name.
const PasswdEntry* find_user(const std::vector<PasswdEntry>& users,
                             const std::string& name,
                             std::optional<std::uint32_t> uid) {
  const auto found =
      std::find_if(users.begin(), users.end(), [&](const PasswdEntry& user) {
        return uid ? user.uid == *uid : user.name == name;
      });
  if (found != users.end()) return &*found;
  if (!uid)
    throw UserError("unable to find user " + name +
                    ": no matching entries in passwd file");
  return nullptr;
}

}  // namespace

std::vector<PasswdEntry> read_passwd(int root) {
  std::vector<PasswdEntry> entries;
  for (const std::string& line : read_lines(root, "/etc/passwd")) {
    if (trim(line).empty()) continue;
    const std::vector<std::string> fields = split(trim(line), ':');
    entries.push_back({field(fields, 0), lenient_number(field(fields, 2)),
                       lenient_number(field(fields, 3)), field(fields, 5)});
  }
  return entries;
}

std::vector<GroupEntry> read_group(int root) {
  std::vector<GroupEntry> entries;
  for (const std::string& line : read_lines(root, "/etc/group")) {
    const std::string_view text = trim(line);
    if (text.empty() || text.front() == '#') continue;
    const std::vector<std::string> fields = split(text, ':');
    const std::string members = field(fields, 3);
    entries.push_back(
        {field(fields, 0), lenient_number(field(fields, 2)),
         members.empty() ? std::vector<std::string>() : split(members, ',')});
  }
  return entries;
}

UserIds resolve_user(int root, std::string_view user) {
  const std::vector<std::string> parts = split(user.empty() ? "0" : user, ':');
  const std::string name = parts[0];
  const std::string group = field(parts, 1);
  const std::vector<PasswdEntry> users = read_passwd(root);

  UserIds ids;
  if (parts.size() == 2) {
    const auto uid = parse_plain_id(name), gid = parse_plain_id(group);
    if (uid && gid) return {*uid, *gid, {}, home_of(users, *uid)};
  }

  // An empty name (":group") is whoever has uid 0.
  const std::optional<std::uint32_t> uid =
      name.empty() ? std::optional<std::uint32_t>(0) : parse_id(name);
  const PasswdEntry* found = find_user(users, name, uid);
  ids.uid = found ? found->uid : *uid;
  ids.gid = found ? found->gid : 0;
  ids.home = found && !found->home.empty() ? found->home : "/";
  if (group.empty() && !found) return ids;

  const std::vector<GroupEntry> groups = read_group(root);
  if (!group.empty()) {
    ids.gid = find_group(groups, group);
    return ids;
  }
  for (const GroupEntry& entry : groups) {
    const auto& members = entry.members;
    if (std::find(members.begin(), members.end(), found->name) != members.end())
      ids.groups.push_back(entry.gid);
  }
  return ids;
}

}  // namespace cbuild::runtime
