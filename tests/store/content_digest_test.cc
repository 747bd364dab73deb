#include "store/content_digest.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "tests/store/scratch.h"

namespace cbuild::store {
namespace {

constexpr std::size_t kPiece = kContentPiece;

// Bytes that no two pieces have alike.
std::string data_of(std::size_t size) {
  std::string data(size, '\0');
  std::uint32_t state = 1;
  for (char& c : data) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return data;
}

// As the header says, in the plainest way.
Digest by_definition(std::string_view content) {
  if (content.size() <= kPiece) return sha256(content);
  HalfSha512 top;
  for (std::size_t at = 0; at < content.size(); at += kPiece)
    top.update(sha256(content.substr(at, kPiece)).raw());
  return top.finish();
}

Digest in_parts(std::string_view content, std::size_t part) {
  ContentHasher hasher;
  for (std::size_t at = 0; at < content.size(); at += part)
    hasher.update(content.substr(at, part));
  return hasher.finish();
}

TEST_CASE("a small file's content digest is its SHA-256", "[content]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPiece}) {
    const std::string content = data_of(size);
    CHECK(content_digest(content) == sha256(content));
    CHECK(content_digest(std::string(size, '\0')) ==
          sha256(std::string(size, '\0')));
  }
}

TEST_CASE("a large file's content digest is one of its pieces' digests",
          "[content]") {
  // `printf`'s SHA-512 of "abc" begins so (FIPS 180-4, example).
  HalfSha512 abc;
  abc.update("abc");
  CHECK(abc.finish().hex() ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a");
  for (const std::size_t size : {kPiece + 1, 2 * kPiece, 3 * kPiece - 7}) {
    const std::string content = data_of(size);
    const Digest want = by_definition(content);
    CHECK(content_digest(content) == want);
    CHECK(in_parts(content, 100'000) == want);
    CHECK(in_parts(content, kPiece + 3) == want);
    CHECK(want != sha256(content));
  }
}

TEST_CASE("zeros count the same, written or skipped, wherever they are",
          "[content]") {
  const std::string data = data_of(1000);
  const auto gap = GENERATE(std::size_t{1}, std::size_t{5000}, kPiece - 1000,
                            kPiece, 2 * kPiece + 17);
  const std::string zeros(gap, '\0');
  const std::string content = zeros + data + zeros + data + zeros;
  ContentHasher hasher;
  hasher.skip(gap);
  hasher.update(data);
  hasher.skip(gap);
  hasher.update(data);
  hasher.skip(gap);
  CHECK(hasher.finish() == by_definition(content));
  CHECK(in_parts(content, 4096) == by_definition(content));
  CHECK(in_parts(content, 1 << 20) == by_definition(content));
}

TEST_CASE(
    "a file has one content digest, on one thread or several, with holes "
    "or without",
    "[content]") {
  Scratch scratch;
  const std::string path = scratch.dir.path() + "/f";
  const std::uint64_t size = 7 * kPiece + 12345;
  const std::string some = data_of(3 * kPiece);
  const Fd out = open_path(path, O_RDWR | O_CREAT, 0644);
  check(::ftruncate(out.get(), static_cast<off_t>(size)), "write", path);
  check(::pwrite(out.get(), some.data(), some.size(), kPiece / 2), "write",
        path);
  check(::pwrite(out.get(), "end", 3, static_cast<off_t>(size - 3)), "write",
        path);
  const Digest want = by_definition(*read_file(path));
  CHECK(content_digest(out.get(), size, path, 1) == want);
  CHECK(content_digest(out.get(), size, path, 5) == want);
  // A file of the same bytes without holes.
  write_file(path + "2", *read_file(path));
  const Fd dense = open_path(path + "2", O_RDONLY);
  CHECK(content_digest(dense.get(), size, path, 3) == want);
}

TEST_CASE("a file of another size than was said has no content digest",
          "[content]") {
  Scratch scratch;
  const std::string path = scratch.dir.path() + "/f";
  write_file(path, data_of(2 * kPiece));
  const Fd file = open_path(path, O_RDONLY);
  for (const unsigned threads : {1u, 4u})
    for (const std::uint64_t size : {kContentPiece, 2 * kContentPiece + 1})
      CHECK_THROWS_WITH(content_digest(file.get(), size, "the file", threads),
                        "the file changed while it was read");
}

}  // namespace
}  // namespace cbuild::store
