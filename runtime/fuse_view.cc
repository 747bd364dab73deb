#include "runtime/fuse_view.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/dir.h"
#include "base/error.h"
#include "base/overlay_marks.h"
#include "base/privileges.h"
#include "base/text.h"
#include "runtime/command.h"
#include "runtime/private_mount.h"
#include "runtime/separate_links.h"

namespace cbuild::runtime {
namespace {

constexpr const char* kProgram = "fuse-overlayfs";
constexpr int kNotThere = 127;  // as a shell has it
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kPause = std::chrono::milliseconds(1);

// Of which it makes options: these have a meaning there.
void check_name(const std::string& path) {
  if (path.find_first_of(":,\\") != std::string::npos)
    throw IsolationError(std::string(kProgram) +
                         " takes no ':', ',' or '\\' in a path: " + path);
}

std::vector<std::string> arguments(const OverlaySpec& spec,
                                   const std::string& place) {
  std::string options = "lowerdir=" + join(spec.lowers, ":");
  if (!spec.upper.empty())
    options += ",upperdir=" + spec.upper + ",workdir=" + spec.work + "/fuse";
  for (const std::string& lower : spec.lowers) check_name(lower);
  check_name(spec.work);
  return {kProgram, "-f", "-o", options, place};
}

pid_t start(const std::vector<std::string>& words, int log) {
  const std::vector<char*> argv = c_strings(words);
  const pid_t pid = check(::fork(), "fork", kProgram);
  if (pid != 0) return pid;
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(0);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(argv[0], argv.data());
  ::_exit(kNotThere);
}

bool is_fuse(const std::string& place) {
  struct statfs fs;
  return ::statfs(place.c_str(), &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

// Takes the program's own attributes away; true where it marks an opaque
// directory.
bool take_marks(const std::string& path) {
  char names[1024];
  const ssize_t size = ::llistxattr(path.c_str(), names, sizeof names);
  bool opaque = false;
  for (ssize_t at = 0; at < size;) {
    const std::string name = names + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    if (!name.starts_with("user.fuseoverlayfs.")) continue;
    opaque = opaque || name == "user.fuseoverlayfs.opaque";
    check(::lremovexattr(path.c_str(), name.c_str()), "removexattr", path);
  }
  return opaque;
}

constexpr std::string_view kMark = ".wh.";

// A directory of what it wrote: names that begin with .wh. are its own.
void translate(int dir, bool opaque) {
  struct stat before;
  check(::fstat(dir, &before), "stat", kProgram);
  for (const std::string& name : list_dir(dir)) {
    const std::string path =
        "/proc/self/fd/" + std::to_string(dir) + "/" + name;
    if (name.starts_with(kMark)) {
      check(::unlinkat(dir, name.c_str(), 0), "unlink", name);
      const std::string hidden = name.substr(kMark.size());
      if (hidden == ".wh..opq")
        opaque = true;
      else if (hidden != ".opq" && !lstat_at(dir, hidden))
        make_whiteout_at(dir, hidden);
      continue;
    }
    const bool marked = take_marks(path);
    const auto st = lstat_at(dir, name);
    if (st && S_ISDIR(st->st_mode))
      translate(
          openat_path(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).get(),
          marked);
  }
  if (opaque) mark_opaque(dir);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  check(::futimens(dir, times), "set time of", kProgram);
}

}  // namespace

FuseView::FuseView(OverlaySpec spec) : spec_(std::move(spec)) {
  const std::string separate = spec_.work + "/separate";
  make_dirs(separate, 0755);
  if (!spec_.upper.empty() && separate_links(spec_.lowers, separate))
    spec_.lowers.insert(spec_.lowers.begin(), separate);
}

bool FuseView::ended() {
  if (program_ == -1) return true;
  const pid_t pid = ::waitpid(program_, &status_, WNOHANG);
  if (pid != 0) program_ = -1;
  return pid != 0;
}

FuseView::~FuseView() {
  if (ended()) return;
  ::kill(program_, SIGKILL);
  ::waitpid(program_, nullptr, 0);
}

Fd FuseView::open() {
  const std::string place = spec_.work + "/merged";
  make_dirs(place);
  make_dirs(spec_.work + "/fuse");
  const Fd log = open_path(spec_.work + "/fuse-log", O_RDWR | O_CREAT, 0600);
  program_ = start(arguments(spec_, place), log.get());
  return wait_for_mount(place);
}

Fd FuseView::wait_for_mount(const std::string& place) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!is_fuse(place)) {
    if (ended()) throw_no_mount();
    if (std::chrono::steady_clock::now() > end)
      throw IsolationError(std::string(kProgram) + " does not mount");
    std::this_thread::sleep_for(kPause);
  }
  Fd tree(check(
      ::open_tree(AT_FDCWD, place.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
      "open_tree", place));
  check(::umount2(place.c_str(), MNT_DETACH), "umount", place);
  make_private(tree.get(), 0, place);
  return tree;
}

void FuseView::throw_no_mount() const {
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == kNotThere)
    throw IsolationError("there is no program " + std::string(kProgram));
  const std::string said = read_file(spec_.work + "/fuse-log").value_or("");
  throw IsolationError(std::string(kProgram) + ": " + std::string(trim(said)));
}

void FuseView::finish() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!ended()) {
    if (std::chrono::steady_clock::now() > end)
      throw Error(std::string(kProgram) + " does not end");
    std::this_thread::sleep_for(kPause);
  }
  if (spec_.upper.empty()) return;
  const Fd upper = open_path(spec_.upper, O_RDONLY | O_DIRECTORY);
  translate(upper.get(), false);
}

std::string fuse_refusal(const std::string& directory) {
  // Its mount would stay on the machine if we were killed.
  if (in_first_user_namespace())
    return std::string(kProgram) + " is for user namespaces only";
  OverlaySpec spec{{directory + "/fuse-lower"},
                   directory + "/fuse-upper",
                   directory + "/fuse-work",
                   ViewKind::fuse};
  for (const std::string& path : {spec.lowers[0], spec.upper, spec.work})
    make_dirs(path);
  try {
    FuseView view(spec);
    view.open();
    view.finish();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace cbuild::runtime
