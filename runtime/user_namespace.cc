// A process can write its own map with one id only. A larger one is written by
// somebody with privileges in the namespace outside: by newuidmap, or by us
// where we are root there. As the process itself has left by then, a helper is
// forked before, waits until the namespace is there, and writes the maps.
#include "runtime/user_namespace.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/dir.h"
#include "base/error.h"
#include "base/pipe.h"
#include "base/text.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {
namespace {

// Both maps as lines, user ids first.
using Maps = std::array<std::vector<IdExtent>, 2>;

constexpr const char* kMapFiles[] = {"uid_map", "gid_map"};
constexpr const char* kMapTools[] = {"newuidmap", "newgidmap"};
constexpr const char* kIdFiles[] = {"/etc/subuid", "/etc/subgid"};

std::vector<IdExtent> same_inside(std::vector<IdExtent> extents) {
  for (IdExtent& extent : extents) extent.outside = extent.inside;
  return extents;
}

std::string user_name(std::uint32_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry == nullptr ? "" : entry->pw_name;
}

// The maps that newuidmap and newgidmap will be asked for; empty where the
// user has no subordinate ids, with the reason.
Maps subordinate_maps(std::string& why) {
  const std::uint32_t own[] = {::geteuid(), ::getegid()};
  const std::string name = user_name(own[0]);
  Maps maps;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string text = read_file(kIdFiles[i]).value_or("");
    maps[i] = subordinate_ids(text, name, own[0]);
    if (maps[i].empty()) {
      why = std::string(kIdFiles[i]) + " has no line for " +
            (name.empty() ? "user " + std::to_string(own[0]) : name);
      return {};
    }
    maps[i].insert(maps[i].begin(), {0, own[i], 1});
  }
  return maps;
}

void write_map(pid_t pid, const char* file, const std::string& text) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
  const Fd map = open_path(path, O_WRONLY);
  write_all(map.get(), text, path);  // must be one write(2), and is
}

std::string map_text(const std::vector<IdExtent>& extents) {
  std::string text;
  for (const IdExtent& e : extents)
    text += std::to_string(e.inside) + " " + std::to_string(e.outside) + " " +
            std::to_string(e.count) + "\n";
  return text;
}

[[noreturn]] void exec_map_tool(pid_t pid, const char* tool,
                                const std::vector<IdExtent>& extents) {
  std::vector<std::string> words = {tool, std::to_string(pid)};
  for (const std::string& word : split(map_text(extents), '\n'))
    for (const std::string& number : split(word, ' '))
      if (!number.empty()) words.push_back(number);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(tool, argv.data());
  const std::string text = std::string(tool) + ": " + std::strerror(errno) +
                           " (Debian package uidmap)\n";
  [[maybe_unused]] const ssize_t n = ::write(2, text.data(), text.size());
  ::_exit(127);
}

// In the helper. Both programs at once: each takes a millisecond to start.
bool run_map_tools(pid_t pid, const Maps& maps) {
  pid_t children[2];
  for (std::size_t i = 0; i < 2; ++i) {
    children[i] = ::fork();
    if (children[i] == 0) exec_map_tool(pid, kMapTools[i], maps[i]);
  }
  bool good = true;
  for (const pid_t child : children) {
    int status = 1;
    good = child != -1 && ::waitpid(child, &status, 0) == child &&
           status == 0 && good;
  }
  return good;
}

// The helper's life. `go` brings a byte once the namespace is there, and the
// end of the file where there will be none.
[[noreturn]] void help(pid_t pid, int go, int said, const Maps& maps,
                       bool directly) {
  char byte;
  if (::read(go, &byte, 1) != 1) ::_exit(1);
  ::dup2(said, 2);
  if (!directly) ::_exit(run_map_tools(pid, maps) ? 0 : 1);
  try {
    for (std::size_t i = 0; i < 2; ++i)
      write_map(pid, kMapFiles[i], map_text(maps[i]));
    ::_exit(0);
  } catch (const Error& e) {
    [[maybe_unused]] const ssize_t n =
        ::write(said, e.what(), std::strlen(e.what()));
    ::_exit(1);
  }
}

class MapHelper {
 public:
  MapHelper(const Maps& maps, bool directly)
      : go_(make_pipe()), said_(make_pipe()) {
    const pid_t parent = ::getpid();
    pid_ = check(::fork(), "fork", "");
    if (pid_ != 0) return;
    go_.write.close();
    help(parent, go_.read.get(), said_.write.get(), maps, directly);
  }
  ~MapHelper() {
    go_.write = Fd();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  MapHelper(const MapHelper&) = delete;
  MapHelper& operator=(const MapHelper&) = delete;

  // "" where the maps are written, else why not.
  std::string finish() {
    write_all(go_.write.get(), "g", "helper");
    said_.write = Fd();
    std::string text = read_all(said_.read.get(), "helper");
    int status = 1;
    check(::waitpid(pid_, &status, 0), "waitpid", "helper");
    pid_ = 0;
    if (status == 0) return "";
    text = text.substr(0, text.find('\n'));
    return text.empty() ? "newuidmap failed" : text;
  }

 private:
  Pipe go_, said_;
  pid_t pid_ = 0;
};

bool is_written(const char* file) {
  return !read_file("/proc/self/" + std::string(file)).value_or("").empty();
}

// One id, by the process itself. A map that a program did write stays.
void map_single_id(std::uint32_t uid, std::uint32_t gid) {
  const pid_t self = ::getpid();
  if (!is_written("gid_map")) {
    write_map(self, "setgroups", "deny");
    write_map(self, "gid_map", map_text({{0, gid, 1}}));
  }
  if (!is_written("uid_map"))
    write_map(self, "uid_map", map_text({{0, uid, 1}}));
}

std::uint64_t count_ids(const std::vector<IdExtent>& extents) {
  std::uint64_t count = 0;
  for (const IdExtent& extent : extents) count += extent.count;
  return count;
}

}  // namespace

std::vector<IdExtent> subordinate_ids(const std::string& text,
                                      const std::string& name,
                                      std::uint32_t uid) {
  std::vector<IdExtent> extents;
  std::uint32_t next = 1;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> fields = split(line, ':');
    if (fields.size() != 3) continue;
    if (fields[0] != std::to_string(uid) && (name.empty() || fields[0] != name))
      continue;
    const auto start = parse_number(fields[1]);
    const auto count = parse_number(fields[2]);
    if (!start || !count || *count == 0 || *start + *count > UINT32_MAX ||
        next + *count > UINT32_MAX)
      continue;
    extents.push_back({next, static_cast<std::uint32_t>(*start),
                       static_cast<std::uint32_t>(*count)});
    next += extents.back().count;
  }
  return extents;
}

UserNamespace enter_user_namespace() {
  const std::uint32_t uid = ::geteuid(), gid = ::getegid();
  const bool directly = uid == 0;
  UserNamespace result;
  const Maps maps =
      directly ? Maps{same_inside(uid_extents()), same_inside(gid_extents())}
               : subordinate_maps(result.why_single);
  {
    std::optional<MapHelper> helper;
    if (!maps[0].empty()) helper.emplace(maps, directly);
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1) {
      result.error = errno;
      return result;
    }
    if (helper) result.why_single = helper->finish();
  }
  try {
    if (!result.why_single.empty()) map_single_id(uid, gid);
  } catch (const Error& e) {
    throw IsolationError(
        "a user namespace was made, but no id may be mapped: " +
        std::string(e.what()) + "; see 'cbuild doctor'");
  }
  result.entered = true;
  result.ids = count_ids(uid_extents());
  result.group_ids = count_ids(gid_extents());
  return result;
}

bool enter_mount_namespace() { return ::unshare(CLONE_NEWNS) == 0; }

}  // namespace cbuild::runtime
