#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "store/stream.h"
#include "tests/store/scratch.h"

namespace cbuild::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// "begin", a hole, "end"; false where the file system has no holes.
bool make_sparse(const std::string& path, std::uint64_t size) {
  const Fd out = open_path(path, O_WRONLY | O_CREAT, 0644);
  check(::pwrite(out.get(), "begin", 5, 0), "write", path);
  check(::pwrite(out.get(), "end", 3, static_cast<off_t>(size - 3)), "write",
        path);
  struct stat st;
  check(::fstat(out.get(), &st), "stat", path);
  if (st.st_blocks < 100) return true;
  WARN("SKIPPED: no sparse files on the temporary directory");
  return false;
}

std::int64_t blocks_of(const std::string& path) {
  struct stat st;
  check(::lstat(path.c_str(), &st), "stat", path);
  return st.st_blocks;
}

TEST_CASE("holes are read as zeros, in order and to the last byte",
          "[sparse]") {
  Scratch scratch;
  const std::string path = scratch.dir.path() + "/f";
  if (!make_sparse(path, 3 * kMiB)) return;
  const Fd file = open_path(path, O_RDONLY);
  std::string all;
  const ByteSource source = sparse_source(file.get(), 3 * kMiB, path);
  std::string buffer(100'000, '\0');
  while (const std::size_t n = source(buffer.data(), buffer.size()))
    all += buffer.substr(0, n);
  CHECK(all == *read_file(path));
  CHECK_THROWS_WITH(sparse_source(file.get(), 3 * kMiB - 1, path),
                    Catch::Contains("changed while it was read"));
}

TEST_CASE("a part of a file is read with its holes told and not read",
          "[sparse]") {
  Scratch scratch;
  const std::string path = scratch.dir.path() + "/f";
  if (!make_sparse(path, 3 * kMiB)) return;
  const Fd file = open_path(path, O_RDONLY);
  std::string part;
  std::uint64_t skipped = 0;
  read_sparse(
      file.get(), {2, 3 * kMiB - 1, 3 * kMiB}, path,
      [&](std::string_view data) { part += data; },
      [&](std::uint64_t zeros) {
        part.append(zeros, '\0');
        skipped += zeros;
      });
  CHECK(part == read_file(path)->substr(2, 3 * kMiB - 3));
  CHECK(skipped > 2 * kMiB);
}

TEST_CASE("runs of zeros that are worth a hole are left out", "[sparse]") {
  std::string data(300'000, '\0');
  const auto parts = [&] {
    std::string text;
    std::string rebuilt(data.size(), '\0');
    without_zeros(data, [&](std::string_view part, std::size_t at) {
      text += std::to_string(at) + "+" + std::to_string(part.size()) + " ";
      rebuilt.replace(at, part.size(), part);
    });
    CHECK(rebuilt == data);
    return text;
  };
  CHECK(parts() == "299008+992 ");  // less than a block, at the end
  data.back() = 'x';
  CHECK(parts() == "299008+992 ");
  data[150'000] = 'x';
  CHECK(parts() == "147456+4096 299008+992 ");
  for (std::size_t i = 0; i < data.size(); i += 40'000) data[i] = 'x';
  CHECK(parts() == "0+300000 ");  // nowhere 64 KiB of zeros
}

TEST_CASE("a layer with a sparse file is packed and unpacked with its holes",
          "[sparse]") {
  ScratchStore s;
  const TempDir staged = s.store.temp_dir("step-");
  const std::string tree = staged.path() + "/tree";
  make_dirs(tree);
  if (!make_sparse(tree + "/f", 300 * kMiB)) return;
  const Fd dir = open_path(tree, O_RDONLY | O_DIRECTORY);
  const LayerIndex index = scan_tree(dir.get(), {}, 2);
  const LayerId id = s.store.layers.adopt(tree, entries_of(index));
  const LayerBlob blob = s.store.layers.tarball(id, {.threads = 2});
  CHECK(blob.size < kMiB);
  const LayerId pulled = s.store.layers.add_blob(blob.diff_id, blob.digest,
                                                 blob.size, blob.compression);
  const std::string unpacked = s.store.layers.tree(pulled) + "/f";
  CHECK(blocks_of(unpacked) < 1000);
  CHECK(s.store.layers.index(pulled)->find("f")->content ==
        index.find("f")->content);
}

}  // namespace
}  // namespace cbuild::store
