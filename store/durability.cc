#include "store/durability.h"

#include <fcntl.h>

#include <algorithm>
#include <ctime>

#include "base/dir.h"
#include "base/text.h"
#include "store/lock.h"
#include "store/staging.h"

namespace cbuild::store {
namespace {

// Where /proc is not to be had all boots are one: as if there were no power
// cuts, which is better than a cache that never answers.
std::string read_boot_id() {
  const auto text = read_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string(trim(*text)) : "unknown";
}

const std::string& boot_id() {
  static const std::string id = read_boot_id();
  return id;
}

}  // namespace

std::string Birth::text() const {
  return boot + " " + std::to_string(nanoseconds);
}

std::optional<Birth> Birth::parse(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == 0 || blank == text.npos) return std::nullopt;
  const auto nanoseconds = parse_number(text.substr(blank + 1));
  if (!nanoseconds) return std::nullopt;
  return Birth{std::string(text.substr(0, blank)),
               static_cast<std::int64_t>(*nanoseconds)};
}

Birth Birth::now() {
  timespec time = {};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return {boot_id(),
          std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

Durability::Boots Durability::read() const {
  Boots boots;
  const auto text = read_file(root_ + "/synced");
  if (!text) return boots;
  // A line that does not parse vouches for nothing.
  for (const std::string& line : split(*text, '\n'))
    if (const auto birth = Birth::parse(line)) {
      auto& last = boots[birth->boot];
      last = std::max(last, birth->nanoseconds);
    }
  return boots;
}

bool Durability::holds(const Birth& birth) const {
  if (birth.boot == boot_id()) return true;
  const std::lock_guard lock(mutex_);
  if (!boots_) boots_ = read();
  const auto last = boots_->find(birth.boot);
  return last != boots_->end() && birth.nanoseconds < last->second;
}

void Durability::synced(const Birth& start) {
  const FileLock lock(root_ + "/locks/synced", LockMode::exclusive);
  Boots boots = read();
  std::int64_t& last = boots[start.boot];
  if (last >= start.nanoseconds) return;
  last = start.nanoseconds;
  std::string text;
  for (const auto& [boot, nanoseconds] : boots)
    text += Birth{boot, nanoseconds}.text() + "\n";
  Staging::of(root_)->replace(root_ + "/synced", text);
}

}  // namespace cbuild::store
