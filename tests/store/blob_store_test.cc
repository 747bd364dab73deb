#include "store/blob_store.h"

#include <sys/mount.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "scratch.h"

using namespace cbuild;
using namespace cbuild::store;

TEST_CASE("a blob is found by its digest, and only by it", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  const Digest digest = blobs.put("hello");
  CHECK(digest == sha256("hello"));
  CHECK(blobs.read(digest) == "hello");
  CHECK(blobs.size(digest) == 5);
  CHECK_FALSE(blobs.read(sha256("other")));
  CHECK_FALSE(blobs.open(sha256("other")));
  CHECK_FALSE(blobs.size(sha256("other")));
  CHECK(blobs.list() == std::vector{digest});
  blobs.remove(digest);
  blobs.remove(digest);
  CHECK_FALSE(blobs.size(digest));
}

TEST_CASE("content with another digest than promised is not stored", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  CHECK_THROWS_AS(blobs.put("a", sha256("b")), DigestMismatch);
  BlobWriter writer = blobs.writer();
  writer.write("a");
  CHECK_THROWS_AS(writer.commit(sha256("b")), DigestMismatch);
  CHECK(blobs.list().empty());
}

TEST_CASE("a blob that was streamed equals one that was put", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  BlobWriter writer = blobs.writer();
  writer.write("hel");
  writer.write("lo");
  CHECK(writer.written() == 5);
  CHECK_FALSE(blobs.size(sha256("hello")));  // not before commit
  CHECK(writer.commit() == sha256("hello"));
  CHECK(blobs.read(sha256("hello")) == "hello");
}

TEST_CASE("a writer that is given up leaves nothing", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  std::string staged;
  {
    BlobWriter writer = blobs.writer();
    writer.write("half");
    staged = writer.staged_path();
    CHECK(lstat_at(AT_FDCWD, staged));
  }
  CHECK_FALSE(lstat_at(AT_FDCWD, staged));
}

TEST_CASE("a damaged blob counts as absent and is removed", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  const Digest digest = blobs.put("hello");
  write_file(blobs.path(digest), "hellO");
  CHECK_FALSE(blobs.read(digest));
  CHECK_FALSE(blobs.size(digest));
  blobs.put("hello");
  write_file(blobs.path(digest), "");  // as after a power cut
  CHECK(blobs.put("hello") == digest);
  CHECK(blobs.read(digest) == "hello");
}

TEST_CASE("many threads may put the same blobs", "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) blobs.put(std::to_string(i));
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(blobs.list().size() == 50);
  for (const Digest& digest : blobs.list()) CHECK(blobs.read(digest));
}

TEST_CASE("what a dead process staged is swept, what a live one does is not",
          "[blob]") {
  Scratch scratch;
  BlobStore blobs(scratch.root);
  const std::string dead = scratch.root + "/tmp/dead";
  make_dirs(dead + "/tree");
  write_file(dead + "/tree/file", "x");
  write_file(scratch.root + "/locks/dead", "");
  BlobWriter writer = blobs.writer();
  sweep(scratch.root);
  CHECK_FALSE(lstat_at(AT_FDCWD, dead));
  CHECK_FALSE(lstat_at(AT_FDCWD, scratch.root + "/locks/dead"));
  CHECK(lstat_at(AT_FDCWD, writer.staged_path()));
}

// Eight that start on what dead processes left.
int failed_sweeps(const std::string& root) {
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 200; ++k)
      make_dirs(root + "/tmp/dead" + std::to_string(i) + "/" +
                std::to_string(k) + "/tree");
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      try {
        sweep(root);
      } catch (const Error&) {
        ++failed;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return failed;
}

TEST_CASE("many may sweep at once", "[blob]") {
  Scratch scratch;
  const BlobStore blobs(scratch.root);
  for (int round = 0; round < 2; ++round)
    CHECK(failed_sweeps(scratch.root) == 0);
  CHECK(list_dir(open_path(scratch.root + "/tmp", O_RDONLY).get()).empty());
}

TEST_CASE("a store leaves no session behind", "[blob]") {
  Scratch scratch;
  { BlobStore(scratch.root).put("x"); }
  CHECK(list_dir(open_path(scratch.root + "/tmp", O_RDONLY).get()).empty());
  CHECK(list_dir(open_path(scratch.root + "/locks", O_RDONLY).get()).empty());
}

TEST_CASE("a full disk is reported as such and leaves no blob", "[blob]") {
  Scratch scratch;
  make_dirs(scratch.root);
  if (::mount("tmpfs", scratch.root.c_str(), "tmpfs", 0, "size=256k") == -1) {
    WARN("SKIPPED: cannot mount a tmpfs");
    return;
  }
  {
    BlobStore blobs(scratch.root);
    blobs.put("small");
    try {
      BlobWriter writer = blobs.writer();
      for (int i = 0; i < 100; ++i) writer.write(std::string(16384, 'x'));
      writer.commit();
      FAIL("the disk did not fill up");
    } catch (const SystemError& e) {
      CHECK(e.code() == ENOSPC);
    }
    CHECK(blobs.list() == std::vector{sha256("small")});
    // The space is free again.
    blobs.put(std::string(100000, 'y'));
  }
  CHECK(::umount2(scratch.root.c_str(), MNT_DETACH) == 0);
}
