#include "builder/cache_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/dir.h"
#include "store/digest.h"

namespace cbuild::builder {
namespace {

using Sharing = parser::RunMount::Sharing;

// An open-file-description lock: belongs to the descriptor, so two threads of
// one build exclude each other too, and a dead process holds none.
bool try_lock(int fd) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  if (errno != EAGAIN && errno != EACCES)
    throw_system_error("lock", "cache mount");
  return false;
}

Fd lock_file(const std::string& directory) {
  return open_path(directory + "/lock", O_RDWR | O_CREAT, 0600);
}

}  // namespace

CacheMount CacheMounts::open(
    const std::string& name,
    const std::function<void(const std::string&)>& seed) {
  const std::string base = root_ + "/" + name;
  make_dirs(base, 0700);
  CacheMount mount;
  mount.directory = base + "/data";
  const std::lock_guard guard(mutex_);
  if (start_empty_ && used_.insert(name).second) remove_tree(mount.directory);
  struct stat st;
  if (::stat(mount.directory.c_str(), &st) == 0) return mount;
  // Seeded beside its place: a broken-off seeding leaves no half cache.
  TempDir staged(base, "new-");
  check(::chmod(staged.path().c_str(), 0755), "chmod", staged.path());
  seed(staged.path());
  if (::rename(staged.path().c_str(), mount.directory.c_str()) == -1 &&
      errno != EEXIST && errno != ENOTEMPTY)
    throw_system_error("rename", mount.directory);
  mount.fresh = true;
  return mount;
}

CacheMount CacheMounts::acquire(
    const std::string& key, Sharing sharing,
    const std::function<bool()>& stopped,
    const std::function<void(const std::string&)>& seed) {
  const std::string name = store::sha256(key).hex().substr(0, 32);
  if (sharing == Sharing::shared) return open(name, seed);
  for (unsigned number = 0;; ++number) {
    const std::string candidate =
        number == 0 ? name : name + "-" + std::to_string(number);
    make_dirs(root_ + "/" + candidate, 0700);
    Fd lock = lock_file(root_ + "/" + candidate);
    while (!try_lock(lock.get())) {
      if (sharing == Sharing::private_) break;
      if (stopped()) throw Interrupted();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (sharing == Sharing::private_ && !try_lock(lock.get())) continue;
    CacheMount mount = open(candidate, seed);
    mount.lock = std::move(lock);
    return mount;
  }
}

}  // namespace cbuild::builder
