#include "store/hash_entries.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/dir.h"
#include "base/error.h"
#include "store/content_digest.h"
#include "store/scan_entry.h"
#include "store/stream.h"

namespace cbuild::store {
namespace {

// Below this threads cost more than they save.
constexpr std::uint64_t kWorthBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kWorthFiles = 256;
// What one thread takes at a time.
constexpr std::size_t kGroupEntries = 64;
constexpr std::uint64_t kGroupBytes = std::uint64_t{1} << 20;
// Groups on their way, for each thread.
constexpr std::size_t kGroupsAhead = 16;
// Other groups may have large files too.
constexpr unsigned kThreadsForOne = 4;

bool unknown(const IndexEntry& entry) {
  return entry.type == EntryType::file && !entry.content;
}

// One read for most files; it must find the end where it is to be.
Digest hash_small(int file, const IndexEntry& entry, std::string& buffer) {
  ContentHasher hasher;
  std::uint64_t size = 0;
  for (;;) {
    const std::size_t n =
        read_some(file, buffer.data(), buffer.size(), entry.path);
    hasher.update(std::string_view(buffer).substr(0, n));
    size += n;
    if (n < buffer.size() && size >= entry.size) break;
    if (n == 0) break;
  }
  if (size != entry.size)
    throw Error(entry.path + " changed while it was read");
  return hasher.finish();
}

void hash_file(int tree, IndexEntry& entry, std::string& buffer,
               unsigned threads) {
  // No one else is in the tree any more, and every parent was seen to be a
  // directory: the path cannot lead elsewhere.
  const Fd file = openat_path(tree, entry.path,
                              O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  struct stat st;
  check(::fstat(file.get(), &st), "stat", entry.path);
  add_xattrs(entry, st, read_xattrs(file.get()));
  entry.content = entry.size > kStreamBuffer
                      ? content_digest(file.get(), entry.size, entry.path,
                                       std::min(threads, kThreadsForOne))
                      : hash_small(file.get(), entry, buffer);
}

}  // namespace

HashedEntries::HashedEntries(int tree, unsigned threads, const EntrySink& take)
    : tree_(tree),
      threads_(threads),
      take_(take),
      open_(std::make_shared<Group>()) {}

void HashedEntries::add(IndexEntry entry) {
  // Not sooner: the last entry may be taken back.
  if (open_->entries.size() >= kGroupEntries || open_->bytes >= kGroupBytes)
    close_group();
  ++count_;
  if (unknown(entry)) {
    ++files_;
    bytes_ += entry.size;
    open_->bytes += entry.size;
  }
  open_->entries.push_back(std::move(entry));
}

void HashedEntries::take_back() {
  --count_;
  open_->entries.pop_back();
}

void HashedEntries::close_group() {
  waiting_.push_back(std::exchange(open_, std::make_shared<Group>()));
  const bool worth =
      threads_ > 1 && (bytes_ >= kWorthBytes || files_ >= kWorthFiles);
  if (!worth) {
    // A few groups are held back, in case that threads become worth it.
    if (waiting_.size() * kGroupEntries <= kWorthFiles) return;
    hash(*waiting_.front());
    for (IndexEntry& entry : waiting_.front()->entries) take_(std::move(entry));
    waiting_.pop_front();
    return;
  }
  if (!workers_) workers_.emplace(threads_);
  for (const std::shared_ptr<Group>& group : std::exchange(waiting_, {}))
    start(group);
  give_away(threads_ * kGroupsAhead);
}

void HashedEntries::start(const std::shared_ptr<Group>& group) {
  order_.push_back(group);
  if (std::none_of(group->entries.begin(), group->entries.end(), unknown)) {
    group->done = true;
    return;
  }
  // A failure waits for its turn: the first in order is told of, however many
  // threads there are.
  workers_->submit([this, group] {
    try {
      hash(*group);
    } catch (...) {
      group->failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      group->done = true;
    }
    done_.notify_one();
  });
}

void HashedEntries::hash(Group& group) const {
  std::uint64_t largest = 0;
  for (const IndexEntry& entry : group.entries)
    if (unknown(entry)) largest = std::max(largest, entry.size + 1);
  if (largest == 0) return;
  std::string buffer(static_cast<std::size_t>(std::clamp<std::uint64_t>(
                         largest, 512, kStreamBuffer)),
                     '\0');
  for (IndexEntry& entry : group.entries)
    if (unknown(entry)) hash_file(tree_, entry, buffer, threads_);
}

// Gives away the oldest groups until at most `left` are on their way.
void HashedEntries::give_away(std::size_t left) {
  while (!order_.empty()) {
    const std::shared_ptr<Group> oldest = order_.front();
    {
      std::unique_lock lock(mutex_);
      if (order_.size() <= left && !oldest->done) return;
      done_.wait(lock, [&] { return oldest->done; });
    }
    order_.pop_front();
    if (oldest->failure) std::rethrow_exception(oldest->failure);
    for (IndexEntry& entry : oldest->entries) take_(std::move(entry));
  }
}

void HashedEntries::finish() {
  close_group();
  for (const std::shared_ptr<Group>& group : waiting_) {
    hash(*group);
    for (IndexEntry& entry : group->entries) take_(std::move(entry));
  }
  waiting_.clear();
  give_away(0);
}

}  // namespace cbuild::store
