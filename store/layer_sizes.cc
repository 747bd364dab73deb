#include "store/layer_sizes.h"

#include <fcntl.h>

#include <ctime>
#include <string_view>

#include "base/dir.h"
#include "base/text.h"
#include "store/remember.h"
#include "store/usage.h"

namespace cbuild::store {
namespace {

// A hundred ticks.
constexpr std::uint64_t kSettled = 400'000'000;  // ns

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// The lines of the file, asked for in its order. A line out of order is passed
// over, as one that does not parse.
class KnownSizes {
 public:
  explicit KnownSizes(std::string_view text) : rest_(text) { next(); }

  std::optional<std::uint64_t> of(const std::string& name,
                                  std::uint64_t changed) {
    while (!name_.empty() && name_ < name) next();
    if (name_ != name || changed_ != changed) return std::nullopt;
    return bytes_;
  }

 private:
  void next() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    name_ = line.substr(0, first);
    changed_ = bytes_ = std::nullopt;
    if (second == line.npos) return;
    changed_ = parse_number(line.substr(first + 1, second - first - 1));
    bytes_ = parse_number(line.substr(second + 1));
  }

  std::string_view rest_;
  std::string_view name_;  // empty at the end
  std::optional<std::uint64_t> changed_;
  std::optional<std::uint64_t> bytes_;
};

std::string line_of(const std::string& name, std::uint64_t changed,
                    std::uint64_t bytes) {
  return name + " " + std::to_string(changed) + " " + std::to_string(bytes) +
         "\n";
}

}  // namespace

bool is_settled(const timespec& changed, const timespec& now) {
  return nanoseconds(changed) + kSettled < nanoseconds(now);
}

namespace {

// Of the directories `names`, sorted, in `parent`; those that are there.
Sizes remembered_sizes(const Store& store, const char* file,
                       const std::string& parent,
                       const std::vector<std::string>& names) {
  const std::string before = read_file(store.root() + "/" + file).value_or("");
  KnownSizes known(before);
  std::string found;
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  Sizes sizes;
  const Fd dir = open_path(parent, O_RDONLY | O_DIRECTORY);
  for (const std::string& name : names) {
    const auto st = lstat_at(dir.get(), name);
    if (!st) continue;
    const std::uint64_t changed = nanoseconds(st->st_ctim);
    const std::optional<std::uint64_t> size = known.of(name, changed);
    const std::uint64_t bytes = size ? *size : allocated(parent + "/" + name);
    sizes.emplace_hint(sizes.end(), name, bytes);
    if (is_settled(st->st_ctim, now)) found += line_of(name, changed, bytes);
  }
  if (found != before) remember(store.root(), file, found);
  return sizes;
}

}  // namespace

Sizes layer_sizes(const Store& store) {
  return remembered_sizes(store, "sizes", store.root() + "/layers",
                          store.layers.list());
}

Sizes folder_sizes(const Store& store) {
  return remembered_sizes(store, "folder-sizes", store.root(),
                          {"blobs/sha256", "diffs", "steps"});
}

}  // namespace cbuild::store
