#include "store/staging.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "base/workers.h"
#include "store/lease.h"

namespace cbuild::store {
namespace {

// Where ext4 has no journal and is mounted with `discard`, each block that is
// freed waits for the disk.
constexpr std::size_t kRemovers = 8;

constexpr std::string_view kOciLayout = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view kEmptyIndex =
    R"({"schemaVersion":2,)"
    R"("mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

// Another process may create the same file at the same time: the first one
// wins, and no one sees half of it.
void create_once(const std::string& path, std::string_view data) {
  const std::string staged = path + "." + random_hex(8);
  Fd out = open_path(staged, O_WRONLY | O_CREAT | O_EXCL, 0644);
  const int saved = [&] {
    write_all(out.get(), data, path);
    out.close();
    return ::link(staged.c_str(), path.c_str()) == 0 ? 0 : errno;
  }();
  ::unlink(staged.c_str());
  if (saved != 0 && saved != EEXIST) throw SystemError(saved, "link", path);
}

// Lets ext4 put each session's files into a block group of its own (chattr +T):
// looking for a free inode, without a journal, it passes over each that was
// removed in the last minute (the last six, until that is on the disk), and
// sessions remove many. Other file systems have no such flag.
void spread_sessions(const std::string& tmp) {
  const Fd dir = open_path(tmp, O_RDONLY | O_DIRECTORY);
  int flags = 0;
  if (::ioctl(dir.get(), FS_IOC_GETFLAGS, &flags) == -1) return;
  if ((flags & FS_TOPDIR_FL) != 0) return;
  flags |= FS_TOPDIR_FL;
  ::ioctl(dir.get(), FS_IOC_SETFLAGS, &flags);
}

void remove_session(const std::string& path) {
  const Fd dir = open_path(path, O_RDONLY | O_DIRECTORY);
  const std::vector<std::string> names = list_dir(dir.get());
  if (names.size() > kRemovers) try {
      Workers workers(kRemovers);
      for (const std::string& name : names)
        workers.submit([&dir, name] { remove_tree_at(dir.get(), name); });
      workers.wait();
    } catch (const SystemError&) {
      // No thread to be had: then by this one, which also meets what they met.
    }
  remove_tree(path);
}

}  // namespace

void ensure_layout(const std::string& root) {
  // tmp/ is made last, so that it stands for all of them.
  const std::string last = root + "/tmp";
  if (::access(last.c_str(), F_OK) == 0) return;
  make_dirs(root);
  for (const char* open : {"/blobs/sha256", "/refs", "/locks"})
    make_dirs(root + open);
  // What an image holds is not for other users: setuid files, secrets in build
  // arguments.
  for (const char* closed : {"/layers", "/steps", "/contexts", "/cache-mounts"})
    make_dirs(root + closed, 0700);
  make_dirs(root + "/layers/empty/tree");
  create_once(root + "/oci-layout", kOciLayout);
  create_once(root + "/index.json", kEmptyIndex);
  make_dirs(last, 0700);
}

void sweep(const std::string& root) {
  const std::string tmp = root + "/tmp";
  struct stat st;
  check(::stat(tmp.c_str(), &st), "stat", tmp);
  // A directory without subdirectories has two links, except on file systems
  // that do not count (btrfs says 1).
  if (st.st_nlink == 2) return;
  const Fd dir = open_path(tmp, O_RDONLY | O_DIRECTORY);
  for (const std::string& session : list_dir(dir.get())) {
    const std::string lock_path = root + "/locks/" + session;
    // Held meanwhile: who else starts now must not remove the same.
    const auto lock = FileLock::try_lock(lock_path, LockMode::exclusive);
    if (!lock) continue;
    remove_tree_at(dir.get(), session);
    ::unlink(lock_path.c_str());
  }
  Leases::of(root)->drop_dead();
}

std::shared_ptr<Staging> Staging::of(const std::string& root) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Staging>> known;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Staging> staging = known[root].lock();
  if (!staging) known[root] = staging = std::make_shared<Staging>(root);
  return staging;
}

Staging::Staging(std::string root) : root_(std::move(root)) {}

Staging::~Staging() {
  if (session_.empty()) return;
  try {
    remove_session(root_ + "/tmp/" + session_);
    ::unlink((root_ + "/locks/" + session_).c_str());
  } catch (const Error&) {
    // What cannot be removed now is swept by the next start.
  }
}

// `publish` gets the staged file's path.
template <typename Publish>
void Staging::stage(std::string_view data, const std::string& path,
                    bool durable, Publish&& publish) {
  const std::string staged = fresh();
  try {
    Fd out = open_path(staged, O_WRONLY | O_CREAT | O_EXCL, 0644);
    write_all(out.get(), data, path);
    if (durable) check(::fdatasync(out.get()), "sync", path);
    out.close();
    publish(staged);
  } catch (...) {
    ::unlink(staged.c_str());
    throw;
  }
}

std::string Staging::directory() {
  const std::lock_guard guard(mutex_);
  if (session_.empty()) {
    const std::string name = random_hex(8);
    lock_.emplace(root_ + "/locks/" + name, LockMode::exclusive);
    spread_sessions(root_ + "/tmp");
    const std::string path = root_ + "/tmp/" + name;
    check(::mkdir(path.c_str(), 0700), "mkdir", path);
    session_ = name;
  }
  return root_ + "/tmp/" + session_;
}

std::string Staging::fresh() {
  const std::string dir = directory();
  const std::lock_guard guard(mutex_);
  return dir + "/" + std::to_string(next_++);
}

void Staging::replace(const std::string& path, std::string_view data,
                      bool durable) {
  stage(data, path, durable, [&](const std::string& staged) {
    check(::rename(staged.c_str(), path.c_str()), "rename", path);
  });
}

void Staging::exchange(const std::string& path, std::string_view data) {
  stage(data, path, false, [&](const std::string& staged) {
    if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, path.c_str(),
                    RENAME_EXCHANGE) == 0)
      return;
    // Nothing there, or a file system that cannot exchange.
    check(::rename(staged.c_str(), path.c_str()), "rename", path);
  });
}

}  // namespace cbuild::store
