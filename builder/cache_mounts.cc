#include "builder/cache_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/cgroups.h"
#include "base/dir.h"
#include "base/text.h"
#include "store/digest.h"
#include "store/tree_archive.h"
#include "store/usage.h"

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

std::string id_of(const std::string& key) {
  return key.substr(0, key.find('\n'));
}

void write_key(const std::string& base, const std::string& key) {
  const Fd dir = open_path(base, O_RDONLY | O_DIRECTORY);
  replace_file_at(dir.get(), "key", key, false, 0600);
}

}  // namespace

std::string cache_name(const std::string& id) {
  return store::sha256(id).hex().substr(0, 32);
}

void CacheMounts::make(const std::string& name) {
  if (hold_) hold_(name);
  make_dirs(root_ + "/" + name, 0700);
}

CacheMount CacheMounts::open(
    const std::string& name, const std::string& key,
    const std::function<void(const std::string&)>& seed) {
  const std::string base = root_ + "/" + name;
  make(name);
  CacheMount mount;
  if (const auto place = places_.find(id_of(key)); place != places_.end()) {
    make_dirs(place->second);
    mount.directory = place->second;
    return mount;
  }
  mount.directory = base + "/data";
  const std::lock_guard guard(mutex_);
  if (start_empty_ && used_.insert(name).second) remove_tree(mount.directory);
  struct stat st;
  if (::stat(mount.directory.c_str(), &st) == 0) return mount;
  // Seeded beside its place: a broken-off seeding leaves no half cache.
  TempDir staged(base, "new-");
  check(::chmod(staged.path().c_str(), 0755), "chmod", staged.path());
  seed(staged.path());
  write_key(base, key);
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
  const std::string name = cache_name(key);
  if (sharing == Sharing::shared) return open(name, key, seed);
  for (unsigned number = 0;; ++number) {
    const std::string candidate =
        number == 0 ? name : name + "-" + std::to_string(number);
    make(candidate);
    Fd lock = lock_file(root_ + "/" + candidate);
    while (!try_lock(lock.get())) {
      if (sharing == Sharing::private_) break;
      if (stopped()) throw Interrupted();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (sharing == Sharing::private_ && !try_lock(lock.get())) continue;
    CacheMount mount = open(candidate, key, seed);
    mount.lock = std::move(lock);
    return mount;
  }
}

std::vector<SavedCache> list_caches(const std::string& root) {
  std::vector<SavedCache> caches;
  const Fd dir = open_path(root, O_RDONLY | O_DIRECTORY);
  for (const std::string& name : list_dir(dir.get())) {
    const auto key = read_file_at(dir.get(), name + "/key");
    if (!key) continue;  // being made
    caches.push_back(
        {name, id_of(*key), store::allocated(root + "/" + name + "/data")});
  }
  return caches;
}

void export_cache(const std::string& root, const std::string& id,
                  const store::ByteSink& out) {
  std::vector<std::string> names;
  for (const SavedCache& cache : list_caches(root))
    if (cache.id == id || cache.name == id) names.push_back(cache.name);
  if (names.empty()) throw UsageError("no cache has the id " + id);
  if (names.size() > 1)
    throw UsageError("several caches have the id " + id +
                     ", say which: " + join(names, ", "));
  // Held against `locked` and `private` users; shared ones may write meanwhile,
  // and a file that changes is an error.
  const Fd lock = lock_file(root + "/" + names[0]);
  if (!try_lock(lock.get())) throw Error("cache " + id + " is in use");
  store::save_tree(root + "/" + names[0] + "/data", out, usable_cpus());
}

void import_cache(const std::string& root, const std::string& id,
                  store::ByteSource archive) {
  const std::string base = root + "/" + cache_name(id);
  make_dirs(base, 0700);
  const Fd lock = lock_file(base);
  if (!try_lock(lock.get())) throw Error("cache " + id + " is in use");
  TempDir staged(base, "new-");
  check(::chmod(staged.path().c_str(), 0755), "chmod", staged.path());
  store::load_tree(staged.path(), std::move(archive));
  remove_tree(base + "/data");
  check(::rename(staged.path().c_str(), (base + "/data").c_str()), "rename",
        base);
  staged.keep();
  write_key(base, id);
}

}  // namespace cbuild::builder
