// What of the store is known to have reached the disk.
//
//   <root>/synced   a line for each boot of a machine: "<boot id> <ns>\n"
//
// Every process sees a rename at once and in order. A disk that loses power
// does not: it may keep a rename and lose the bytes of what was renamed. So
// what vouches for other files (a step's record, the tree of a pulled layer)
// carries when it was born, and every sync of the store writes down when it
// began. Born in this boot: all of it is at least in memory. Born in another:
// it counts only if a sync of that boot began later. A killed process loses
// nothing this way, and a build needs one sync, whether it works or not.
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cbuild::store {

// A moment: which boot of which machine, and nanoseconds since it
// (CLOCK_BOOTTIME).
struct Birth {
  std::string boot;
  std::int64_t nanoseconds = 0;

  // "<boot id> <ns>".
  std::string text() const;
  static std::optional<Birth> parse(std::string_view text);
  static Birth now();
};

class Durability {
 public:
  explicit Durability(std::string root) : root_(std::move(root)) {}

  bool holds(const Birth& birth) const;

  // A sync that began at `start` is complete.
  void synced(const Birth& start);

 private:
  using Boots = std::map<std::string, std::int64_t>;
  Boots read() const;

  std::string root_;
  mutable std::mutex mutex_;
  mutable std::optional<Boots> boots_;  // read when first asked
};

}  // namespace cbuild::store
