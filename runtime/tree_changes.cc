#include "runtime/tree_changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"
#include "runtime/tree_copy.h"

namespace cbuild::runtime {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

std::int64_t nanoseconds(std::int64_t seconds, std::uint32_t rest) {
  return seconds * 1'000'000'000 + rest;
}

// Without what is below.
TreeState::Entry look_at(int dir, const std::string& name) {
  struct statx st;
  check(::statx(dir, name.c_str(), AT_SYMLINK_NOFOLLOW,
                STATX_BASIC_STATS | STATX_BTIME, &st),
        "statx", name);
  TreeState::Entry entry;
  entry.inode = st.stx_ino;
  entry.changed = nanoseconds(st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec);
  if ((st.stx_mask & STATX_BTIME) != 0)
    entry.birth = nanoseconds(st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
  entry.directory = S_ISDIR(st.stx_mode);
  return entry;
}

TreeState remember(int dir, std::int64_t& latest) {
  TreeState state;
  for (const std::string& name : list_dir(dir)) {
    TreeState::Entry entry = look_at(dir, name);
    latest = std::max(latest, entry.changed);
    if (entry.directory)
      entry.below = remember(openat_path(dir, name, kDirectory).get(), latest);
    state.entries.emplace(name, std::move(entry));
  }
  return state;
}

// File times are taken from this clock, which ticks every few milliseconds.
void wait_until_past(std::int64_t moment) {
  for (;;) {
    timespec now;
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (nanoseconds(now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)) >
        moment)
      return;
    const timespec pause = {0, 500'000};
    ::nanosleep(&pause, nullptr);
  }
}

// A directory of the upper tree, made when the first change in it is found.
class UpperDirectory {
 public:
  using Make = std::function<Fd()>;
  explicit UpperDirectory(Make make) : make_(std::move(make)) {}

  bool made() const { return static_cast<bool>(fd_); }
  int fd() {
    if (!fd_) fd_ = make_();
    return fd_.get();
  }

 private:
  Make make_;
  Fd fd_;
};

void move_from(int dir, const TreeState& before, UpperDirectory& upper);

// Without CAP_DAC_OVERRIDE a directory is moved only where it and its parent
// can be written to.
void rename_read_only(int dir, const std::string& name, int to) {
  const std::optional<struct stat> st = lstat_at(dir, name);
  const bool directory = st && S_ISDIR(st->st_mode);
  check(::fchmod(dir, 0700), "chmod", name);  // its mode was taken already
  if (directory) check(::fchmodat(dir, name.c_str(), 0700, 0), "chmod", name);
  check(::renameat(dir, name.c_str(), to, name.c_str()), "rename", name);
  if (directory)
    check(::fchmodat(to, name.c_str(), st->st_mode & 07777, 0), "chmod", name);
}

void move_changed(int dir, const std::string& name, bool opaque, int to) {
  move_entry(dir, name, to);
  if (opaque) mark_opaque(openat_path(to, name, kDirectory).get());
}

void move_from_directory(int dir, const std::string& name,
                         const TreeState::Entry& now,
                         const TreeState::Entry& before,
                         UpperDirectory& upper) {
  const Fd from = openat_path(dir, name, kDirectory);
  struct stat st;  // before anything is moved out
  check(::fstat(from.get(), &st), "stat", name);
  UpperDirectory below([&] {
    check(::mkdirat(upper.fd(), name.c_str(), 0700), "mkdir", name);
    return openat_path(upper.fd(), name, kDirectory);
  });
  move_from(from.get(), before.below, below);
  if (below.made() || now.changed != before.changed)
    copy_directory_attributes(from.get(), st, below.fd());
}

void move_from(int dir, const TreeState& before, UpperDirectory& upper) {
  const std::vector<std::string> names = list_dir(dir);
  for (const std::string& name : names) {
    const TreeState::Entry now = look_at(dir, name);
    const auto found = before.entries.find(name);
    const TreeState::Entry* then =
        found == before.entries.end() ? nullptr : &found->second;
    const bool same = then != nullptr && then->inode == now.inode &&
                      then->birth == now.birth &&
                      then->directory == now.directory;
    if (same && now.directory)
      move_from_directory(dir, name, now, *then, upper);
    else if (!same || now.changed != then->changed)
      move_changed(dir, name, now.directory && then != nullptr, upper.fd());
  }
  for (const auto& [name, entry] : before.entries)
    if (!std::binary_search(names.begin(), names.end(), name))
      make_whiteout_at(upper.fd(), name);
}

}  // namespace

TreeState remember_tree(int root) {
  std::int64_t latest = 0;
  TreeState state = remember(root, latest);
  wait_until_past(latest);
  return state;
}

void move_entry(int from, const std::string& name, int to) {
  if (::renameat(from, name.c_str(), to, name.c_str()) == 0) return;
  if (errno != EACCES) throw_system_error("rename", name);
  rename_read_only(from, name, to);
}

void move_changes(int root, const TreeState& before, int upper) {
  UpperDirectory top([&] { return Fd(check(::dup(upper), "dup", "")); });
  move_from(root, before, top);
}

}  // namespace cbuild::runtime
