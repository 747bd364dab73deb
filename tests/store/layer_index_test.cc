#include "store/layer_index.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <random>

#include "scratch.h"
#include "store/compress.h"
#include "store/index_stream.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

LayerIndex sample(std::size_t files) {
  LayerIndex index;
  for (std::size_t i = 0; i < files; ++i) {
    IndexEntry& e = index.entries.emplace_back();
    e.path = "usr/share/doc/package-" + std::to_string(100000 + i / 20) +
             "/file-" + std::to_string(100000 + i);
    e.mode = 0644;
    e.uid = static_cast<std::uint32_t>(i);
    e.size = i * 1000;
    e.mtime_seconds = 1700000000 - static_cast<std::int64_t>(i) * 100000;
    e.mtime_nanoseconds = static_cast<std::uint32_t>(i);
    e.content = sha256(e.path);
  }
  return index;
}

bool same(const IndexEntry& a, const IndexEntry& b) {
  return a.path == b.path && a.type == b.type && a.mode == b.mode &&
         a.uid == b.uid && a.gid == b.gid && a.size == b.size &&
         a.mtime_seconds == b.mtime_seconds &&
         a.mtime_nanoseconds == b.mtime_nanoseconds &&
         a.dev_major == b.dev_major && a.dev_minor == b.dev_minor &&
         a.opaque == b.opaque && a.target == b.target && a.xattrs == b.xattrs &&
         a.content == b.content;
}

}  // namespace

TEST_CASE("a directory sorts right before what it holds", "[index]") {
  const std::vector<std::string> sorted = {
      "a", "a/b", "a/b/c", "a/c", "a b", "a-b", "a.b", "aa", "b\xff", "c"};
  for (std::size_t i = 0; i < sorted.size(); ++i)
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      INFO(sorted[i] << " " << sorted[j]);
      CHECK(path_less(sorted[i], sorted[j]) == (i < j));
    }
}

TEST_CASE("an index written entry by entry is the same", "[index]") {
  Scratch scratch;
  const std::string file = scratch.dir.path() + "/index";
  for (const std::size_t files :
       {0, 1, 20000}) {  // the last is written in parts
    ::unlink(file.c_str());
    const LayerIndex want = sample(files);
    const Fd out = open_path(file, O_RDWR | O_CREAT | O_EXCL, 0644);
    IndexWriter writer(out.get(), file);
    for (const IndexEntry& entry : want.entries) writer.add(entry);
    writer.finish();
    const std::string data = *read_file(file);
    const auto got = deserialize(data);
    REQUIRE(got);
    CHECK(serialize(*got) == serialize(want));
    std::size_t read = 0;
    each_entry(data, [&](IndexEntry&& entry) {
      CHECK(same(entry, want.entries.at(read++)));
    });
    CHECK(read == files);
    std::string damaged = data;
    damaged.back() ^= 1;
    CHECK_THROWS_AS(each_entry(damaged, [](IndexEntry&&) {}), Error);
  }
}

TEST_CASE("an index is read back as it was written", "[index]") {
  LayerIndex want = sample(100);
  IndexEntry odd;
  odd.path = std::string("z\xff\n", 3);
  odd.type = EntryType::character_device;
  odd.mode = 07777;
  odd.uid = odd.gid = 0xffffffff;
  odd.mtime_seconds = -5;
  odd.dev_major = 1;
  odd.dev_minor = 0xfffff;
  odd.xattrs = {{"user.a", std::string("\0x", 2)}, {"user.b", ""}};
  want.entries.push_back(odd);
  odd = {};
  odd.path = "zz";
  odd.type = EntryType::directory;
  odd.opaque = true;
  want.entries.push_back(odd);
  odd.path = "zzz";
  odd.type = EntryType::symlink;
  odd.opaque = false;
  odd.target = "/x";
  want.entries.push_back(odd);
  const auto got = deserialize(serialize(want));
  REQUIRE(got);
  REQUIRE(got->entries.size() == want.entries.size());
  for (std::size_t i = 0; i < want.entries.size(); ++i)
    CHECK(same(got->entries[i], want.entries[i]));
  CHECK(deserialize(serialize({})).has_value());
}

TEST_CASE("an entry is found by its path alone", "[index]") {
  const LayerIndex index = sample(1000);
  CHECK(index.find(index.entries[500].path) == &index.entries[500]);
  CHECK(index.find("usr") == nullptr);
  CHECK(index.find("") == nullptr);
  CHECK(index.total_size() == 999ull * 1000 / 2 * 1000);
}

TEST_CASE("a damaged index reads as absent", "[index]") {
  const std::string whole = serialize(sample(20));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK_FALSE(deserialize(whole.substr(0, i)));
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    CHECK_FALSE(deserialize(changed));
  }
  CHECK_FALSE(deserialize(whole + "x"));
}

TEST_CASE("bytes with a right check sum that make no sense are refused",
          "[index]") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string body = serialize(sample(3)).substr(12);
    for (int k = 0; k < 3; ++k)
      body[random() % body.size()] = static_cast<char>(random());
    const std::uint32_t crc = crc32(body);
    std::string file = "cbuildx\x02";
    for (int shift = 0; shift < 32; shift += 8)
      file += static_cast<char>(crc >> shift & 0xff);
    deserialize(file + body);  // does not crash; the sanitizers watch
  }
}
