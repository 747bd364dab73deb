#include "runtime/cgroup_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr std::string_view kPrefix = "cbuild.";

// Field 22 of /proc/<pid>/stat, counted after the name, which may hold blanks.
std::string start_time(const std::string& pid) {
  const std::string stat = cgroup_text("/proc/" + pid + "/stat");
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos) return "";
  const std::vector<std::string> fields = split(stat.substr(end + 2), ' ');
  return fields.size() > 19 ? fields[19] : "";
}

std::string pid_namespace() {
  struct stat st = {};
  check(::stat("/proc/self/ns/pid", &st), "stat", "pid namespace");
  return std::to_string(st.st_ino);
}

// A process of another pid namespace cannot be seen: its groups are its own.
bool is_leftover(const std::string& name) {
  const std::vector<std::string> parts = split(name, '.');
  return name.starts_with(kPrefix) && parts.size() == 5 &&
         parts[1] == pid_namespace() && start_time(parts[2]) != parts[3];
}

std::vector<std::string> names_in(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd == -1) return {};  // removed by another cbuild meanwhile
  const Fd closes(fd);
  return list_dir(fd);
}

// What was killed takes a while to end on a busy machine: up to a second.
void remove_leftover(const std::string& directory) {
  struct stat st = {};
  for (const std::string& name : names_in(directory))
    if (const std::string path = directory + "/" + name;
        ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode))
      remove_leftover(path);
  for (int tries = 0; tries < 1000; ++tries) {
    for (const std::string& pid : cgroup_words(directory + "/cgroup.procs"))
      if (const auto number = parse_number(pid); number && *number > 1)
        ::kill(static_cast<pid_t>(*number), SIGKILL);
    if (::rmdir(directory.c_str()) == 0 || errno != EBUSY) return;
    ::usleep(1000);
  }
}

// Moves the processes of `group` to a child. New ones may be forked meanwhile.
void make_room(const std::string& group) {
  const std::string room = group + "/init";
  make_dirs(room);
  const Fd target = open_path(room + "/cgroup.procs", O_WRONLY);
  for (int tries = 0; tries < 100; ++tries) {
    const std::vector<std::string> pids = cgroup_words(group + "/cgroup.procs");
    if (pids.empty()) return;
    for (const std::string& pid : pids) {
      const ssize_t moved = ::write(target.get(), pid.data(), pid.size());
      if (moved == -1 && errno != ESRCH)
        throw SystemError(errno, "move process " + pid + " to", room);
    }
  }
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// `top`, ..., `base`.
std::vector<std::string> levels(const std::string& top,
                                const std::string& base) {
  std::vector<std::string> found;
  for (std::string at = base; at.size() >= top.size();
       at = at.substr(0, at.rfind('/'))) {
    found.insert(found.begin(), at);
    if (at == top) break;
  }
  return found;
}

}  // namespace

CgroupDir::CgroupDir(std::string path) : path_(std::move(path)) {
  if (::mkdir(path_.c_str(), 0755) == -1) {
    const int code = errno;
    const std::string failed = std::move(path_);
    throw SystemError(code, "mkdir", failed);
  }
}

CgroupDir::~CgroupDir() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

std::string new_cgroup_name() {
  static std::atomic<unsigned> made = 0;
  const std::string pid = std::to_string(::getpid());
  return std::string(kPrefix) + pid_namespace() + "." + pid + "." +
         start_time(pid) + "." + std::to_string(made++);
}

std::string cgroup_base(const CgroupHierarchy& h, const std::string& parent) {
  if (!parent.empty()) {
    const std::string base = h.mount + clean_path("/" + parent);
    make_dirs(base);
    return base;
  }
  if (!h.version_2 || h.own == h.mount) return h.own;
  return h.own.substr(0, h.own.rfind('/'));
}

void sweep_cgroups(const std::string& base) {
  for (const std::string& name : names_in(base))
    if (is_leftover(name)) remove_leftover(base + "/" + name);
}

void enable_controllers(const CgroupHierarchy& hierarchy,
                        const std::string& base,
                        const std::vector<std::string>& controllers,
                        bool may_move) {
  for (const std::string& level : levels(hierarchy.mount, base)) {
    const std::string file = level + "/cgroup.subtree_control";
    const std::vector<std::string> enabled = cgroup_words(file);
    for (const std::string& controller : controllers) {
      if (contains(enabled, controller)) continue;
      try {
        set_cgroup_file(file, "+" + controller);
      } catch (const SystemError& e) {
        if (e.code() != EBUSY || !may_move || level != hierarchy.own) throw;
        make_room(level);
        set_cgroup_file(file, "+" + controller);
      }
    }
  }
}

void copy_cgroup_limits(const std::string& from, const std::string& to) {
  for (const char* file : {"/cpu.max", "/cpuset.cpus", "/memory.high",
                           "/memory.max", "/memory.swap.max", "/pids.max"})
    if (const std::string value = cgroup_text(from + file);
        !value.empty() && !value.starts_with("max"))
      set_cgroup_file(to + file, value);
}

std::string cgroup_text(const std::string& path) {
  return std::string(trim(read_file(path).value_or("")));
}

std::vector<std::string> cgroup_words(const std::string& path) {
  std::string text = cgroup_text(path);
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::vector<std::string> words = split(text, ' ');
  std::erase(words, "");
  return words;
}

void set_cgroup_file(const std::string& path, const std::string& value) {
  const Fd file = open_path(path, O_WRONLY);
  write_all(file.get(), value, path);
}

}  // namespace cbuild::runtime
