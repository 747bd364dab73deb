#include "store/lease.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

namespace cbuild::store {
namespace {

// What the lease files of live processes say; those of dead ones go. Called
// with the sweep lock: no lease is being made or written.
std::vector<std::string> live_leases(const std::string& directory) {
  std::vector<std::string> texts;
  const auto dir = try_openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  if (!dir) return texts;
  for (const std::string& name : list_dir(dir->get())) {
    const std::string path = directory + "/" + name;
    // Unlike open for a lock, this makes no file that has just gone.
    auto file = try_openat(dir->get(), name, O_RDWR);
    if (!file) continue;
    if (FileLock::try_lock(std::move(*file), path, LockMode::exclusive))
      ::unlink(path.c_str());
    else
      texts.push_back(read_file(path).value_or(""));
  }
  return texts;
}

// Prune keeps others out for a moment, a repair until it has read everything.
FileLock wait_to_look(const std::string& path) {
  for (int i = 0; i < 200; ++i) {
    if (auto lock = FileLock::try_lock(path, LockMode::shared))
      return std::move(*lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  warn("waiting for another process that repairs or prunes the store");
  return FileLock(path, LockMode::shared);
}

}  // namespace

Lease::Lease(std::shared_ptr<Leases> leases) : leases_(std::move(leases)) {
  leases_->acquire();
}

Lease::~Lease() {
  if (leases_) leases_->release();
}

std::shared_ptr<Leases> Leases::of(const std::string& root) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Leases>> known;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Leases> leases = known[root].lock();
  if (!leases) known[root] = leases = std::make_shared<Leases>(root);
  return leases;
}

void Leases::acquire() {
  const std::lock_guard guard(mutex_);
  if (count_ == 0) {
    // A file that is there and not locked belongs to a dead process.
    const FileLock lock = wait_to_look(sweep_path());
    make_dirs(directory(), 0700);
    path_ = directory() + "/" + random_hex(8);
    file_ = FileLock::try_lock(
        open_path(path_, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600), path_,
        LockMode::exclusive);
  }
  ++count_;
}

// What the process made has its name by now, if it is to have one.
void Leases::release() {
  const std::lock_guard guard(mutex_);
  if (--count_ != 0) return;
  ::unlink(path_.c_str());
  file_.reset();
  held_.clear();
  chain_ = {};
}

std::optional<FileLock> Leases::look() {
  {
    const std::lock_guard guard(mutex_);
    if (count_ == 0) return std::nullopt;
  }
  return FileLock(sweep_path(), LockMode::shared);
}

void Leases::Looking::hold(const std::vector<std::string>& names) {
  if (!lock_) return;
  const std::lock_guard guard(leases_.mutex_);
  leases_.write(names);
}

void Leases::Looking::hold_layers(const Chain& chain) {
  if (!lock_) return;
  const std::lock_guard guard(leases_.mutex_);
  std::vector<std::string> names;
  for (const LayerId& id : chain.beyond(leases_.chain_))
    names.push_back("layers/" + id);
  leases_.write(names);
  leases_.chain_ = chain;
}

void Leases::write(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    if (!held_.contains(name)) text += "\n" + name;
  if (text.empty()) return;
  // A write that a full disk breaks off spoils no line but its own.
  write_all(file_->fd(), text + "\n", path_);
  held_.insert(names.begin(), names.end());
}

Sweep Leases::sweep() const {
  Sweep sweep{FileLock(sweep_path(), LockMode::exclusive), {}};
  for (const std::string& text : live_leases(directory()))
    for (std::string& name : split(text, '\n'))
      if (!name.empty()) sweep.held.insert(std::move(name));
  return sweep;
}

std::optional<FileLock> Leases::sole_use() const {
  auto lock = FileLock::try_lock(sweep_path(), LockMode::exclusive);
  if (lock && !live_leases(directory()).empty()) return std::nullopt;
  return lock;
}

void Leases::drop_dead() const {
  const auto lock = FileLock::try_lock(sweep_path(), LockMode::exclusive);
  if (lock) live_leases(directory());
}

}  // namespace cbuild::store
