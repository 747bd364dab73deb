// Random entries, written here and unpacked by other programs.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "store/layer_index.h"
#include "store/tar.h"
#include "tests/store/scratch.h"

namespace cbuild::store {
namespace {

constexpr std::size_t kLongestPath = 3800;  // below a temporary directory
constexpr std::uint32_t kHighestId = 4294967294;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  LayerIndex make() {
    directories_ = {""};
    for (int i = 0; i < 60; ++i) add();
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const IndexEntry& a, const IndexEntry& b) {
                return path_less(a.path, b.path);
              });
    return std::move(index_);
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  // Lengths around those that headers have room for, and the longest.
  std::string name() {
    const std::size_t lengths[] = {1, 2, 8, 30, 98, 99, 100, 101, 155, 255};
    std::string text(lengths[below(std::size(lengths))], 'n');
    const bool any_byte = below(2) == 0;
    for (char& c : text)
      c = any_byte ? static_cast<char>(1 + below(255))
                   : static_cast<char>('a' + below(26));
    for (char& c : text)
      if (c == '/') c = '\n';
    return text == "." || text == ".." ? "x" : text;
  }

  std::uint32_t id() {
    const std::uint32_t ids[] = {0, 1, 65534, 2097151, 2097152, kHighestId};
    return ids[below(std::size(ids))];
  }

  void add() {
    const std::string parent = directories_[below(directories_.size())];
    IndexEntry entry;
    entry.path = parent.empty() ? name() : parent + "/" + name();
    if (entry.path.size() > kLongestPath || !paths_.insert(entry.path).second)
      return;
    entry.uid = id();
    entry.gid = id();
    entry.mode = 0600 + static_cast<std::uint32_t>(below(0200));
    entry.mtime_seconds = static_cast<std::int64_t>(below(1u << 31));
    if (const std::size_t kind = below(3); kind == 0) {
      entry.type = EntryType::directory;
      entry.mode |= 0100;
      directories_.push_back(entry.path);
    } else if (kind == 1) {
      entry.type = EntryType::symlink;
      entry.mode = 0777;
      for (std::size_t n = 1 + below(20); n > 0; --n)
        entry.target += name() + (n > 1 ? "/" : "");
      entry.target.resize(std::min(entry.target.size(), kLongestPath));
    } else {
      contents_[entry.path] = name();
      entry.size = contents_[entry.path].size();
      entry.content = sha256(contents_[entry.path]);
    }
    index_.entries.push_back(std::move(entry));
  }

 public:
  std::map<std::string, std::string> contents_;

 private:
  std::mt19937 random_;
  std::vector<std::string> directories_;
  std::set<std::string> paths_;
  LayerIndex index_;
};

void write_tar(const std::string& file, Generator& generator,
               const LayerIndex& index) {
  const Fd out = open_path(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  TarWriter writer(
      [&](std::string_view part) { write_all(out.get(), part, file); });
  for (const IndexEntry& entry : index.entries) {
    writer.add(entry);
    if (entry.size > 0) writer.write(generator.contents_.at(entry.path));
  }
  writer.finish();
}

void compare(const LayerIndex& got, const LayerIndex& want) {
  REQUIRE(got.entries.size() == want.entries.size());
  for (std::size_t i = 0; i < got.entries.size(); ++i) {
    const IndexEntry& a = got.entries[i];
    const IndexEntry& b = want.entries[i];
    INFO(b.path);
    CHECK(a.path == b.path);
    CHECK(a.type == b.type);
    CHECK(a.mode == b.mode);
    CHECK(a.uid == b.uid);
    CHECK(a.gid == b.gid);
    if (b.type != EntryType::symlink)  // Python leaves theirs alone
      CHECK(a.mtime_seconds == b.mtime_seconds);
    CHECK(a.target == b.target);
    CHECK(a.content == b.content);
  }
}

struct Tool {
  const char* program;
  const char* unpack;  // in the directory to fill, from ../t.tar
};

TEST_CASE("other programs unpack any name, target and owner as written",
          "[tar]") {
  if (::geteuid() != 0) {
    WARN("SKIPPED: only root can give files away");
    return;
  }
  const Tool tools[] = {
      {"tar", "tar --numeric-owner --delay-directory-restore -xpf ../t.tar"},
      {"bsdtar", "LC_ALL=C bsdtar --numeric-owner -xpf ../t.tar"},
      {"python3",
       "python3 -c \"import tarfile; "
       "tarfile.open('../t.tar', errors='surrogateescape')"
       ".extractall(numeric_owner=True)\""},
  };
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Scratch scratch;
    const std::string dir = scratch.dir.path();
    Generator generator(seed);
    const LayerIndex index = generator.make();
    write_tar(dir + "/t.tar", generator, index);
    for (const Tool& tool : tools) {
      INFO(tool.program << ", seed " << seed);
      if (!have_tool(tool.program)) {
        WARN("SKIPPED: no " << tool.program);
        continue;
      }
      const std::string place = dir + "/" + tool.program;
      make_dirs(place);
      int code = -1;
      const std::string said = run("cd " + place + " && " + tool.unpack, &code);
      INFO(said);
      REQUIRE(code == 0);
      const Fd made = open_path(place, O_RDONLY | O_DIRECTORY);
      compare(scan_tree(made.get(), {}, 1), index);
    }
  }
}

}  // namespace
}  // namespace cbuild::store
