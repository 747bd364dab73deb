#include "store/merged_index.h"

#include <catch2/catch.hpp>

using namespace cbuild;
using namespace cbuild::store;

namespace {

// "d:path" directory, "o:path" opaque directory, "w:path" whiteout,
// "l:path>target" symlink, "h:path>target" hard link, "f:path=content" file.
IndexEntry entry_of(std::string_view text) {
  IndexEntry entry;
  const char kind = text[0];
  const std::size_t mark = text.find_first_of("=>");
  entry.path = text.substr(2, mark == std::string_view::npos ? mark : mark - 2);
  const std::string value(
      mark == std::string_view::npos ? "" : text.substr(mark + 1));
  switch (kind) {
    case 'o':
      entry.opaque = true;
      [[fallthrough]];
    case 'd':
      entry.type = EntryType::directory;
      break;
    case 'w':
      entry.type = EntryType::whiteout;
      break;
    case 'l':
      entry.type = EntryType::symlink;
      entry.target = value;
      break;
    case 'h':
      entry.type = EntryType::hardlink;
      entry.target = value;
      break;
    default:
      entry.size = value.size();
      entry.content = sha256(value);
  }
  return entry;
}

std::shared_ptr<const LayerIndex> layer(
    std::initializer_list<std::string_view> entries) {
  auto index = std::make_shared<LayerIndex>();
  for (const std::string_view text : entries)
    index->entries.push_back(entry_of(text));
  std::sort(index->entries.begin(), index->entries.end(),
            [](const IndexEntry& a, const IndexEntry& b) {
              return path_less(a.path, b.path);
            });
  return index;
}

std::vector<std::string> paths(const MergedIndex& merged) {
  std::vector<std::string> out;
  for (const IndexEntry* entry : merged.entries()) out.push_back(entry->path);
  return out;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a higher layer adds, replaces and removes", "[merged]") {
  const MergedIndex merged({
      layer({"d:a", "f:a/1=x", "f:a/2=x", "d:b", "f:b/1=x", "f:c=x"}),
      layer({"f:a/1=new", "w:b", "f:d=x"}),
      layer({"w:c"}),
  });
  CHECK(paths(merged) == Paths{"a", "a/1", "a/2", "d"});
  CHECK(merged.find("a/1")->content == sha256("new"));
  CHECK(merged.find("b") == nullptr);
  CHECK(merged.find("") == nullptr);
}

TEST_CASE("an opaque directory hides what it held", "[merged]") {
  const MergedIndex merged({
      layer({"d:a", "f:a/1=x", "d:a/s", "f:a/s/2=x", "f:a-b=x"}),
      layer({"o:a", "f:a/3=x"}),
  });
  CHECK(paths(merged) == Paths{"a", "a/3", "a-b"});
}

TEST_CASE("a file in place of a directory removes what it held", "[merged]") {
  const MergedIndex merged({
      layer({"d:a", "f:a/1=x", "f:b=x"}),
      layer({"f:a=x", "d:b", "f:b/1=x"}),
  });
  CHECK(paths(merged) == Paths{"a", "b", "b/1"});
  CHECK(merged.find("a")->type == EntryType::file);
  CHECK(merged.find("b")->type == EntryType::directory);
}

TEST_CASE("a directory that only its contents imply is there", "[merged]") {
  const MergedIndex merged(
      {layer({"f:a/b/1=x", "f:a/c/d/2=x", "f:z=x"}), layer({"f:a/b/3=x"})});
  CHECK(paths(merged) ==
        Paths{"a", "a/b", "a/b/1", "a/b/3", "a/c", "a/c/d", "a/c/d/2", "z"});
  CHECK(merged.find("a/c")->mode == 0755);
  CHECK(paths(MergedIndex({layer({"f:a/b/1=x"}), layer({"w:a"})})).empty());
}

TEST_CASE("a hard link outlives the first name of its file", "[merged]") {
  const MergedIndex merged({
      layer({"f:a=data", "h:b>a", "h:c>a"}),
      layer({"f:a=other"}),
  });
  CHECK(merged.find("a")->content == sha256("other"));
  CHECK(merged.find("b")->type == EntryType::file);
  CHECK(merged.find("b")->content == sha256("data"));
  CHECK(merged.find("c")->type == EntryType::hardlink);
  CHECK(merged.find("c")->target == "b");
  const MergedIndex gone({layer({"f:a=data", "h:b>a"}), layer({"w:a"})});
  CHECK(gone.find("b")->content == sha256("data"));
  const MergedIndex kept({layer({"f:a=data", "h:b>a"}), layer({"f:x=1"})});
  CHECK(kept.find("b")->type == EntryType::hardlink);
}

TEST_CASE("a range is a path and all below it", "[merged]") {
  const MergedIndex merged(
      {layer({"d:a", "d:a/b", "f:a/b/1=x", "f:a/c=x", "f:a-=x", "f:b=x"})});
  const auto count = [&](std::string_view path) {
    const auto [begin, end] = merged.range(path);
    return end - begin;
  };
  CHECK(count("") == 6);
  CHECK(count("a") == 4);
  CHECK(count("a/b") == 2);
  CHECK(count("a-") == 1);
  CHECK(count("absent") == 0);
}

TEST_CASE("paths are resolved through links, inside the root", "[merged]") {
  const MergedIndex merged({layer({
      "d:usr",
      "d:usr/bin",
      "f:usr/bin/sh=x",
      "l:bin>usr/bin",
      "l:abs>/usr",
      "l:up>../../../usr",
      "l:loop>loop",
      "l:one>two",
      "l:two>one",
      "d:d",
      "l:d/rel>../bin/sh",
      "l:dangling>nowhere",
      "l:self>.",
  })});
  struct Case {
    const char* path;
    std::optional<std::string> want;
  };
  const Case cases[] = {
      {"", ""},
      {"/", ""},
      {"usr/bin/sh", "usr/bin/sh"},
      {"/bin/sh", "usr/bin/sh"},
      {"bin", "usr/bin"},
      {"abs/bin/sh", "usr/bin/sh"},
      {"up/bin", "usr/bin"},  // ".." stops at the root
      {"d/rel", "usr/bin/sh"},
      {"d/../usr/./bin//sh", "usr/bin/sh"},
      {"self/self/bin/sh", "usr/bin/sh"},
      {"loop", std::nullopt},
      {"one/x", std::nullopt},
      {"dangling", std::nullopt},
      {"absent", std::nullopt},
      {"usr/bin/sh/x", std::nullopt},  // a file is no directory
      {"usr/bin/sh/..", std::nullopt},
  };
  for (const Case& c : cases) {
    INFO(c.path);
    CHECK(merged.resolve(c.path) == c.want);
  }
}

TEST_CASE("merging agrees with a plain map for random layers", "[merged]") {
  std::srand(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::shared_ptr<const LayerIndex>> layers;
    std::map<std::string, EntryType> want;
    for (int l = 0; l < 4; ++l) {
      auto index = std::make_shared<LayerIndex>();
      std::map<std::string, IndexEntry> entries;
      for (int i = 0; i < 6; ++i) {
        std::string path(1, static_cast<char>('a' + std::rand() % 3));
        for (int d = std::rand() % 3; d > 0; --d)
          path += std::string("/") + static_cast<char>('a' + std::rand() % 3);
        // Parents are directories; what would stand below a file is left out.
        bool fits = true;
        for (std::size_t s = path.find('/'); s != std::string::npos;
             s = path.find('/', s + 1)) {
          IndexEntry& parent = entries[path.substr(0, s)];
          if (parent.path.empty()) parent = entry_of("d:" + path.substr(0, s));
          fits = fits && parent.type == EntryType::directory;
        }
        if (!fits || entries.contains(path)) continue;
        constexpr const char* kinds[] = {"d:", "o:", "w:", "f:"};
        entries[path] = entry_of(kinds[std::rand() % 4] + path);
      }
      for (auto it = entries.begin(); it != entries.end();) {
        const std::size_t s = it->first.rfind('/');
        const auto parent =
            entries.find(s == std::string::npos ? "" : it->first.substr(0, s));
        const bool orphan = s != std::string::npos &&
                            (parent == entries.end() ||
                             parent->second.type != EntryType::directory);
        it = orphan ? entries.erase(it) : std::next(it);
      }
      for (auto& [path, entry] : entries) index->entries.push_back(entry);
      std::sort(index->entries.begin(), index->entries.end(),
                [](const IndexEntry& a, const IndexEntry& b) {
                  return path_less(a.path, b.path);
                });
      // The plain way: first all removals, then all additions.
      for (const IndexEntry& entry : index->entries) {
        const auto old = want.find(entry.path);
        const bool merges = entry.type == EntryType::directory &&
                            !entry.opaque && old != want.end() &&
                            old->second == EntryType::directory;
        if (!merges)
          std::erase_if(want, [&](const auto& w) {
            return w.first == entry.path ||
                   w.first.starts_with(entry.path + "/");
          });
        if (entry.type != EntryType::whiteout) want[entry.path] = entry.type;
      }
      layers.push_back(index);
    }
    std::map<std::string, EntryType> got;
    const MergedIndex merged(layers);
    for (const IndexEntry* entry : merged.entries())
      got[entry->path] = entry->type;
    CHECK(got == want);
  }
}
