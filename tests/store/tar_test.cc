#include "store/tar.h"

#include <catch2/catch.hpp>
#include <clocale>

#include "base/error.h"
#include "scratch.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

IndexEntry entry_of(const std::string& path, EntryType type) {
  IndexEntry entry;
  entry.path = path;
  entry.type = type;
  entry.mode = type == EntryType::directory ? 0755 : 0644;
  return entry;
}

struct Packed {
  IndexEntry entry;
  std::string content;
};

std::string pack(const std::vector<Packed>& entries) {
  std::string out;
  TarWriter tar([&](std::string_view data) { out += data; });
  for (const Packed& p : entries) {
    tar.add(p.entry);
    tar.write(p.content);
  }
  tar.finish();
  return out;
}

ByteSource source_of(const std::string& data) {
  auto at = std::make_shared<std::size_t>(0);
  return [&data, at](char* buffer, std::size_t size) {
    const std::size_t n = std::min(size, data.size() - *at);
    data.copy(buffer, n, *at);
    *at += n;
    return n;
  };
}

std::vector<Packed> unpack(const std::string& tar, bool decompress = false) {
  TarReader reader(source_of(tar), decompress);
  std::vector<Packed> entries;
  while (auto entry = reader.next()) {
    std::string content(entry->size, '\0');
    std::size_t used = 0;
    while (const std::size_t n =
               reader.read(content.data() + used, content.size() - used))
      used += n;
    content.resize(used);
    entries.push_back({std::move(*entry), std::move(content)});
  }
  return entries;
}

void check_same(const IndexEntry& a, const IndexEntry& b) {
  INFO(a.path);
  std::string path = b.path;
  if (b.type == EntryType::directory && path.ends_with('/')) path.pop_back();
  CHECK(a.path == path);
  CHECK(a.type == b.type);
  CHECK(a.mode == b.mode);
  CHECK(a.uid == b.uid);
  CHECK(a.gid == b.gid);
  CHECK(a.size == b.size);
  CHECK(a.mtime_seconds == b.mtime_seconds);
  CHECK(a.mtime_nanoseconds == b.mtime_nanoseconds);
  CHECK(a.dev_major == b.dev_major);
  CHECK(a.dev_minor == b.dev_minor);
  CHECK(a.target == b.target);
  CHECK(a.xattrs == b.xattrs);
}

// One entry for each thing that a plain ustar header has no room for.
std::vector<Packed> difficult() {
  std::vector<Packed> all;
  const auto add = [&](const std::string& path, EntryType type) -> IndexEntry& {
    all.push_back({entry_of(path, type), ""});
    return all.back().entry;
  };
  add("dir", EntryType::directory);
  add("dir/plain", EntryType::file);
  add("ünïcödé-名", EntryType::file);
  add("latin1-\xe9\xff", EntryType::file);
  add("new\nline \t\"quoted\"", EntryType::file);
  add(std::string(120, 'n'), EntryType::file);
  add("deep/" + std::string(255, 'd') + "/" + std::string(255, 'f'),
      EntryType::file);
  add(std::string(2000, 'x') + "/y", EntryType::directory);
  add("link", EntryType::symlink).target = "/else\xff/where";
  add("longlink", EntryType::symlink).target = std::string(3000, 't');
  add("hard", EntryType::hardlink).target = "latin1-\xe9\xff";
  IndexEntry& device = add("null", EntryType::character_device);
  device.dev_major = 1;
  device.dev_minor = 300000;
  add("disk", EntryType::block_device).dev_major = 8;
  add("pipe", EntryType::fifo).mode = 0600;
  IndexEntry& bits = add("setuid", EntryType::file);
  bits.mode = 07755;
  IndexEntry& owner = add("owner", EntryType::file);
  owner.uid = 3000000000u;
  owner.gid = 65534;
  IndexEntry& time = add("time", EntryType::file);
  time.mtime_seconds = 1700000000;
  time.mtime_nanoseconds = 123456789;
  IndexEntry& old = add("old", EntryType::file);
  old.mtime_seconds = -1000000000;
  old.mtime_nanoseconds = 5;
  add("future", EntryType::file).mtime_seconds = 1ll << 34;
  IndexEntry& xattrs = add("xattrs", EntryType::file);
  xattrs.xattrs = {
      {"security.capability", std::string("\x01\x00\x00\x02\n=\xff", 7)},
      {"user.empty", ""},
      {"user.text", "ünï"}};
  IndexEntry& content = add("content", EntryType::file);
  content.size = 100001;
  all.back().content = std::string(100001, 'c');
  return all;
}

}  // namespace

TEST_CASE("every kind of entry survives a tar", "[tar]") {
  const std::vector<Packed> want = difficult();
  const std::vector<Packed> got = unpack(pack(want));
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    check_same(want[i].entry, got[i].entry);
    CHECK(want[i].content == got[i].content);
  }
}

TEST_CASE("the locale of the program does not matter to names", "[tar]") {
  const std::string before = pack(difficult());
  REQUIRE(std::setlocale(LC_ALL, "C") != nullptr);
  CHECK(pack(difficult()) == before);
}

TEST_CASE("a plain entry is one ustar header without extension", "[tar]") {
  const std::string tar = pack({{entry_of("dir/plain", EntryType::file), ""}});
  CHECK(tar.size() == 512 + 1024);
  CHECK(tar.substr(0, 10) == std::string("dir/plain\0", 10));
  CHECK(tar.substr(257, 6) == std::string("ustar\0", 6));
  // No names of owners: they are those of this machine.
  CHECK(tar.substr(265, 64) == std::string(64, '\0'));
}

TEST_CASE("whiteouts and opaque directories are marker files", "[tar]") {
  IndexEntry opaque = entry_of("a/b", EntryType::directory);
  opaque.opaque = true;
  IndexEntry gone = entry_of("a/gone", EntryType::whiteout);
  gone.mtime_seconds = 77;  // says nothing, and must not reach the bytes
  const auto got = unpack(pack({{opaque, ""},
                                {gone, ""},
                                {entry_of("top", EntryType::whiteout), ""},
                                {entry_of("sock", EntryType::socket), ""}}));
  REQUIRE(got.size() == 4);
  CHECK(got[1].entry.path == "a/b/.wh..wh..opq");
  CHECK(got[2].entry.path == "a/.wh.gone");
  CHECK(got[2].entry.mtime_seconds == 0);
  CHECK(got[3].entry.path == ".wh.top");
}

TEST_CASE("a file of more than 8 GiB has its size in the header", "[tar]") {
  IndexEntry big = entry_of("big", EntryType::file);
  big.size = 9ull << 30;
  std::string header;
  {
    TarWriter tar([&](std::string_view data) {
      if (header.size() < 4096) header += data;
    });
    tar.add(big);
  }
  TarReader reader(source_of(header), false);
  CHECK(reader.next()->size == 9ull << 30);
}

TEST_CASE("names are given as the archive has them", "[tar]") {
  Scratch scratch;
  const std::string file = scratch.dir.path() + "/raw.tar";
  int code = -1;
  run("python3 -c '\nimport tarfile,io\n"
      "t=tarfile.open(\"" +
          file +
          "\",\"w\")\n"
          "for n in [\"/etc/passwd\",\"../../up\",\"./a/./b\",\"a//c\"]:\n"
          "  i=tarfile.TarInfo(n); i.size=1; t.addfile(i,io.BytesIO(b\"x\"))\n"
          "t.close()'",
      &code);
  REQUIRE(code == 0);
  const auto got = unpack(*read_file(file));
  REQUIRE(got.size() == 4);
  CHECK(got[0].entry.path == "/etc/passwd");
  CHECK(got[1].entry.path == "../../up");
  CHECK(got[2].entry.path == "./a/./b");
  CHECK(got[3].entry.path == "a//c");
}

TEST_CASE("another program's reader sees the same entries", "[tar]") {
  Scratch scratch;
  const std::string file = scratch.dir.path() + "/ours.tar";
  write_file(file, pack(difficult()));
  int code = -1;
  const std::string out = run(
      "python3 -c '\nimport tarfile\n"
      "t=tarfile.open(\"" +
          file +
          "\",errors=\"surrogateescape\")\n"
          "m={x.name.encode(\"utf-8\",\"surrogateescape\"):x for x in t}\n"
          "assert len(m)==21, len(m)\n"
          "assert b\"latin1-\\xe9\\xff\" in m\n"
          "assert \"ünïcödé-名\".encode() in m\n"
          "assert m[b\"time\"].mtime==1700000000.123456789\n"
          "assert m[b\"old\"].mtime<-999999999\n"
          "assert m[b\"owner\"].uid==3000000000\n"
          "assert m[b\"setuid\"].mode==0o7755\n"
          "assert m[b\"null\"].devminor==300000\n"
          "assert m[b\"longlink\"].linkname==\"t\"*3000\n"
          "h=m[b\"hard\"]; assert h.islnk()\n"
          "assert "
          "h.linkname.encode(\"utf-8\",\"surrogateescape\")==b\"latin1-"
          "\\xe9\\xff\"\n"
          "assert "
          "m[b\"xattrs\"].pax_headers[\"SCHILY.xattr.user.text\"]==\"ünï\"\n"
          "assert not any(k.startswith(\"LIBARCHIVE\") for x in t for k in "
          "x.pax_headers)\n"
          "assert t.extractfile(m[b\"content\"]).read()==b\"c\"*100001\n"
          "'",
      &code);
  INFO(out);
  CHECK(code == 0);
}

TEST_CASE("other programs' tars are read, compressed too", "[tar]") {
  Scratch scratch;
  const std::string dir = scratch.dir.path();
  make_dirs(dir + "/in");
  write_file(dir + "/in/" + std::string(200, 'l'), "long");
  write_file(dir + "/in/file", "content");
  for (const char* format : {"gnu", "pax", "ustar", "v7"})
    for (const char* filter : {"", "-z", "-j", "-J", "--zstd"}) {
      int code = -1;
      const std::string names = std::string(format) == "v7"
                                    ? "file"
                                    : "file " + std::string(200, 'l');
      const std::string out =
          run("tar --format=" + std::string(format) + " " + filter + " -cf " +
                  dir + "/t.tar -C " + dir + "/in " +
                  (std::string(format) == "ustar" ? "file" : names),
              &code);
      INFO(format << filter << out);
      REQUIRE(code == 0);
      const auto got = unpack(*read_file(dir + "/t.tar"), true);
      REQUIRE(!got.empty());
      CHECK(got[0].entry.path == "file");
      CHECK(got[0].content == "content");
    }
}

TEST_CASE("holes of a sparse entry are passed over", "[tar]") {
  Scratch scratch;
  const std::string dir = scratch.dir.path();
  int code = -1;
  run("cd " + dir +
          " && truncate -s 10M sparse && printf end >> sparse && "
          "tar --sparse -cf t.tar sparse",
      &code);
  REQUIRE(code == 0);
  const std::string tar = *read_file(dir + "/t.tar");
  CHECK(tar.size() < 100000);
  TarReader reader(source_of(tar), false);
  const auto entry = reader.next();
  REQUIRE(entry);
  CHECK(entry->size == (10u << 20) + 3);
  std::string_view data;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string last;
  while (reader.read_block(data, offset)) {
    bytes += data.size();
    if (!data.empty()) last = data;
  }
  CHECK(bytes < 100000);
  CHECK(last.ends_with("end"));
}

TEST_CASE("damaged archives are errors and never crash", "[tar]") {
  const std::string whole = pack(difficult());
  for (std::size_t cut = 1; cut < whole.size(); cut += 997) {
    try {
      unpack(whole.substr(0, cut));
    } catch (const Error&) {
    }
    std::string changed = whole;
    changed[cut] = static_cast<char>(changed[cut] ^ 0x55);
    try {
      unpack(changed);
    } catch (const Error&) {
    }
  }
  CHECK_THROWS_AS(unpack(std::string(5000, 'x')), Error);
  CHECK_THROWS_AS(unpack(whole.substr(0, 700)), Error);
  CHECK(unpack("").empty());
  CHECK(unpack(std::string(1024, '\0')).empty());
}

TEST_CASE("an attribute name that no reader would get back is refused",
          "[tar]") {
  IndexEntry entry = entry_of("f", EntryType::file);
  entry.xattrs = {{"user.a=b", "x"}};
  CHECK_THROWS_WITH(pack({{entry, ""}}), Catch::Contains("user.a=b"));
}
