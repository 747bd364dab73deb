// The store under a full disk and under SIGKILL at any moment.
#include <sys/mount.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "image_fixture.h"
#include "store/archive.h"
#include "store/check_image.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

// A tmpfs of `kib` KiB over the directory, while it lives.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, int kib) : path_(path) {
    make_dirs(path);
    const std::string size = "size=" + std::to_string(kib) + "k";
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  explicit operator bool() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

// Everything that is published is whole; nothing is left in tmp/.
void check_sound(const std::string& root) {
  Store store(root);
  for (const Digest& digest : store.blobs.list())
    CHECK(store.blobs.read(digest).has_value());
  for (const NamedImage& image : store.images.list())
    CHECK(check_image(store, image.manifest, {.trees = true}).empty());
  for (const LayerId& id : store.layers.list())
    if (store.layers.has_tree(id)) CHECK(store.layers.index(id) != nullptr);
  const Fd tmp = open_path(root + "/tmp", O_RDONLY | O_DIRECTORY);
  CHECK(list_dir(tmp.get()).empty());
}

std::string archive_of_an_image() {
  ScratchStore s;
  const Descriptor image =
      make_image(s.store, {step_layer(s.store, "a", std::string(40000, 'a')),
                           step_layer(s.store, "b", random_hex(30000))});
  const std::string path = s.dir.path() + "/a";
  const Fd file = open_path(path, O_RDWR | O_CREAT, 0600);
  save_archive(s.store, {{s.store.images.load(image), {"app:1"}}},
               ArchiveFormat::docker, file.get());
  return *read_file(path);
}

// Loads, unpacks, packs again and tags: every kind of write.
void use(Store& store, const std::string& archive) {
  const Fd file = open_path(archive, O_RDONLY);
  const auto as_is = [](const std::string& n) {
    return ImageStore::Name{full_name(n), n};
  };
  for (const LoadedImage& image : load_archive(store, file.get(), as_is)) {
    for (const Digest& id : store.images.load(image.manifest).config.diff_ids) {
      store.layers.tree(id.hex());
      store.layers.tarball(id.hex(),
                           {.compression = Compression::zstd, .force = true});
    }
    store.images.tag(image.names, image.manifest);
    store.steps.put({.key = key_of({{"a", "b"}}), .title = "RUN x"});
  }
  step_layer(store, "more", std::string(20000, 'm'));
}

}  // namespace

TEST_CASE("a disk that fills up anywhere leaves a sound store", "[fault]") {
  Scratch scratch;
  const std::string archive = scratch.dir.path() + "/archive";
  write_file(archive, archive_of_an_image());
  int failed = 0;
  bool fitted = false;
  for (int kib = 48; kib < 2000 && !fitted; kib += 12) {
    const SmallDisk disk(scratch.root, kib);
    if (!disk) {
      WARN("SKIPPED: cannot mount a tmpfs");
      return;
    }
    try {
      Store store(scratch.root);
      use(store, archive);
      fitted = true;
    } catch (const SystemError& e) {
      CHECK(e.code() == ENOSPC);
      ++failed;
    }
    try {
      check_sound(scratch.root);
    } catch (const SystemError& e) {
      // So full that not even the directories fit.
      CHECK(e.code() == ENOSPC);
    }
  }
  CHECK(fitted);
  CHECK(failed > 10);
}

TEST_CASE("a process killed at any moment leaves a sound store", "[fault]") {
  Scratch scratch;
  const std::string archive = scratch.dir.path() + "/archive";
  write_file(archive, archive_of_an_image());
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Store store(scratch.root);
        for (;;) use(store, archive);
      } catch (...) {
      }
      ::_exit(1);
    }
    ::usleep(static_cast<useconds_t>(500 + round * 700));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    check_sound(scratch.root);
  }
}

TEST_CASE("several processes may do the same at the same time", "[fault]") {
  Scratch scratch;
  const std::string archive = scratch.dir.path() + "/archive";
  write_file(archive, archive_of_an_image());
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 0;
      try {
        Store store(scratch.root);
        for (int round = 0; round < 5; ++round) use(store, archive);
      } catch (const std::exception& e) {
        static_cast<void>(::write(2, e.what(), std::string(e.what()).size()));
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  check_sound(scratch.root);
}
