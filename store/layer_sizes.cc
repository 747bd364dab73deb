#include "store/layer_sizes.h"

#include <fcntl.h>

#include <ctime>

#include "base/dir.h"
#include "base/text.h"
#include "store/usage.h"

namespace cbuild::store {
namespace {

struct Known {
  std::uint64_t changed = 0;  // ns since the epoch
  std::uint64_t bytes = 0;

  bool operator==(const Known&) const = default;
};

// A hundred ticks.
constexpr std::uint64_t kSettled = 400'000'000;  // ns

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::map<LayerId, Known> read_sizes(const std::string& path) {
  std::map<LayerId, Known> known;
  const auto text = read_file(path);
  if (!text) return known;
  for (const std::string& line : split(*text, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() != 3) continue;
    const auto changed = parse_number(words[1]);
    const auto bytes = parse_number(words[2]);
    if (changed && bytes) known[words[0]] = {*changed, *bytes};
  }
  return known;
}

}  // namespace

std::map<LayerId, std::uint64_t> layer_sizes(Store& store) {
  const std::string path = store.root() + "/sizes";
  const std::map<LayerId, Known> before = read_sizes(path);
  std::map<LayerId, Known> now;
  std::map<LayerId, std::uint64_t> sizes;
  timespec clock = {};
  ::clock_gettime(CLOCK_REALTIME, &clock);
  for (const LayerId& id : store.layers.list()) {
    const std::string directory = store.layers.directory(id);
    const auto st = lstat_at(AT_FDCWD, directory);
    if (!st) continue;
    const std::uint64_t changed = nanoseconds(st->st_ctim);
    const auto known = before.find(id);
    const Known size = known != before.end() && known->second.changed == changed
                           ? known->second
                           : Known{changed, allocated(directory)};
    sizes[id] = size.bytes;
    if (changed + kSettled < nanoseconds(clock)) now[id] = size;
  }
  std::string text;
  for (const auto& [id, known] : now)
    text += id + " " + std::to_string(known.changed) + " " +
            std::to_string(known.bytes) + "\n";
  if (now != before) Staging::of(store.root())->replace(path, text);
  return sizes;
}

}  // namespace cbuild::store
