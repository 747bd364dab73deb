// What Go's archive/tar takes and refuses; each row was tried with BuildKit.
#include "store/strict_tar.h"

#include <catch2/catch.hpp>
#include <cstdio>

#include "base/error.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

ByteSource source_of(std::string bytes) {
  return prefixed(std::move(bytes),
                  [](char*, std::size_t) { return std::size_t{0}; });
}

// A file "x" and a file "y", ten bytes each, and the end.
std::string two_files() {
  std::string bytes;
  TarWriter writer([&](std::string_view part) { bytes += part; });
  for (const char* name : {"x", "y"}) {
    IndexEntry entry;
    entry.path = name;
    entry.mode = 0644;
    entry.size = 10;
    writer.add(entry);
    writer.write("0123456789");
  }
  writer.finish();
  return bytes;
}

// The header at `at` with `text` put at `offset` in it and its sum mended.
std::string with(std::string tar, std::size_t at, std::size_t offset,
                 std::string_view text) {
  tar.replace(at + offset, text.size(), text);
  tar.replace(at + 148, 8, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += static_cast<unsigned char>(tar[at + i]);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum & 0777777);
  tar.replace(at + 148, 7, std::string(digits, 7));
  return tar;
}

// A PAX header with `records` before the two files.
std::string with_records(char type, const std::string& records) {
  std::string header = with(two_files().substr(0, 512), 0, 156, {&type, 1});
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", records.size());
  header = with(header, 0, 124, {size, 12});
  return header + records + std::string(512 - records.size(), '\0') +
         two_files();
}

// What comes out, or the error.
std::string checked(const std::string& tar) {
  const ByteSource source = checked_tar(source_of(tar));
  std::string all(1 << 16, '\0');
  try {
    all.resize(read_full(source, all.data(), all.size()));
    return all;
  } catch (const Error& e) {
    return e.what();
  }
}

using namespace std::string_view_literals;

TEST_CASE("a first header that Go cannot read makes no archive") {
  const std::string good = two_files();
  struct Case {
    std::string tar;
    bool begins;
  };
  const Case cases[] = {
      {good, true},
      {good.substr(0, 512), true},
      {good.substr(0, 511), false},
      {"", false},
      {std::string(10240, '\0'), false},
      {with(good, 0, 100, "zzzzzzz\0"sv), false},      // mode
      {with(good, 0, 108, "8888888\0"sv), false},      // uid
      {with(good, 0, 124, "q2345678901\0"sv), false},  // size
      {with(good, 0, 124, std::string(12, '\xff')), false},
      {with(good, 0, 108, "        "sv), true},
      {with(good, 0, 108, "\x80\0\0\0\0\0\x10\0"sv), true},
      {with(good, 0, 329, "zzzzzzz\0"sv), false},  // device
      {with(with(good, 0, 329, "zzzzzzz\0"sv), 0, 257, "old     "sv), true},
      {with(good, 0, 156, "Q"), true},  // an archive that cannot be unpacked
      {with_records('x', "12 uid=1234\n"), true},
      {with_records('x', "10 uid=ab\n"), false},
      {with_records('x', "13 mtime=abc\n"), false},
      {with_records('x', "14 mtime=1.25\n"), true},
      {with_records('x', "99 uid=1\n"), false},
      {with_records('x', "12 uid=1\n").substr(0, 600), false},
      {with_records('g', "12 comment=x\n").substr(0, 1024), false},
      {with_records('g', "13 comment=x\n").substr(0, 1024), true},
  };
  for (const Case& c : cases) {
    INFO(&c - cases);
    CHECK(begins_tar(source_of(c.tar)) == c.begins);
  }
}

TEST_CASE("a header that Go cannot read ends an archive with an error") {
  const std::string good = two_files();
  const std::string files = good.substr(0, 2048);
  const std::string end(1024, '\0');
  CHECK(checked(good) == files + end);
  // The end may be missing, or cut in the padding of the last file.
  CHECK(checked(files) == files + end);
  CHECK(checked(files + end.substr(0, 512)) ==
        files + end.substr(0, 512) + end);
  CHECK(checked(good.substr(0, 1536 + 100)) == files + end);
  CHECK(checked(files + end + "rest") == files + end);
  CHECK(checked(good.substr(0, 1536 + 5)) == "tar: unexpected EOF");
  CHECK(checked(good.substr(0, 1024 + 100)) == "tar: unexpected EOF");
  CHECK(checked(with(good, 1024, 100, "zzzzzzz\0"sv)) == "invalid tar header");
  CHECK(checked(good.substr(0, 1024) + end.substr(0, 512) + good) ==
        "invalid tar header");
  for (const char* type : {"7", "V", "D", "Q"})
    CHECK(checked(with(good, 1024, 156, type)) ==
          "unhandled tar header type " + std::to_string(type[0]));
  // A size of its own counts for links no more than for directories.
  CHECK(checked(with(good, 1024, 156, "1")).starts_with("invalid tar header"));
}

}  // namespace
}  // namespace cbuild::store
