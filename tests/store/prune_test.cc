#include "store/prune.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <ctime>
#include <thread>

#include "image_fixture.h"
#include "store/check_image.h"
#include "store/usage.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

ImageStore::Name name(const std::string& familiar) {
  return {full_name(familiar), familiar};
}

Digest put_step(Store& store, const std::string& command,
                const std::vector<LayerId>& layers, std::int64_t age = 0) {
  const KeyInputs inputs = {{"command", command}};
  const Digest key = key_of(inputs);
  store.steps.put({.key = key,
                   .inputs = inputs,
                   .title = "RUN " + command,
                   .layers = layers});
  const timespec then[2] = {{std::time(nullptr) - age, 0},
                            {std::time(nullptr) - age, 0}};
  const std::string path = store.root() + "/steps/" + key.hex();
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), then, 0) == 0);
  return key;
}

constexpr std::int64_t kHour = 3600;

}  // namespace

TEST_CASE("prune keeps what a name needs, and removes the rest", "[prune]") {
  ScratchStore s;
  const LayerId base = step_layer(s.store, "base", std::string(50000, 'b'));
  const LayerId top = step_layer(s.store, "top", std::string(50000, 't'));
  const LayerId loose = step_layer(s.store, "loose", std::string(50000, 'l'));
  const Descriptor kept = make_image(s.store, {base});
  const Descriptor gone = make_image(s.store, {base, top});
  s.store.images.tag({name("kept:1")}, kept);
  s.store.images.tag({}, gone);
  put_step(s.store, "old", {base, top});
  const PruneReport dry = prune(s.store, {.dry_run = true});
  CHECK(dry.layers == 3);
  CHECK(s.store.layers.list().size() == 3);
  const std::uint64_t before = allocated(s.root);
  const PruneReport report = prune(s.store, {});
  CHECK(report.images.size() == 1);
  CHECK(report.steps == 1);
  CHECK(report.layers == 3);  // trees that only steps had
  CHECK(report.bytes == dry.bytes);
  CHECK(report.blobs == 3);  // manifest, config and layer of the other
  CHECK(s.store.layers.list().empty());
  CHECK(check_image(s.store, kept).empty());
  CHECK(s.store.images.list().size() == 1);
  CHECK(before - allocated(s.root) >= report.bytes);
  CHECK(prune(s.store, {}).bytes == 0);
  CHECK(loose != top);
}

TEST_CASE("steps that were used lately stay, with their layers", "[prune]") {
  ScratchStore s;
  const LayerId young = step_layer(s.store, "a", "1");
  const LayerId old = step_layer(s.store, "b", "2");
  const Digest kept = put_step(s.store, "young", {young});
  const Digest gone = put_step(s.store, "old", {young, old}, 48 * kHour);
  const LayerBlob blob = s.store.layers.tarball(young, {});
  const PruneReport report = prune(s.store, {.unused_for = 24 * kHour});
  CHECK(report.steps == 1);
  CHECK(s.store.steps.find(kept));
  CHECK_FALSE(s.store.steps.find(gone));
  CHECK(s.store.layers.list() == std::vector{young});
  CHECK(s.store.blobs.size(blob.digest));  // else it is compressed again
}

TEST_CASE("a record that is found counts as used", "[prune]") {
  ScratchStore s;
  const Digest key =
      put_step(s.store, "x", {step_layer(s.store, "a", "1")}, 48 * kHour);
  CHECK(s.store.steps.find(key));
  CHECK(prune(s.store, {.unused_for = 24 * kHour}).steps == 0);
}

TEST_CASE("a size limit removes the least recently used steps first",
          "[prune]") {
  ScratchStore s;
  std::vector<Digest> keys;
  for (int i = 0; i < 8; ++i)
    keys.push_back(
        put_step(s.store, std::to_string(i),
                 {step_layer(s.store, "f",
                             std::string(1 << 20, static_cast<char>('a' + i)))},
                 i * kHour * 2));
  const std::uint64_t limit = allocated(s.root) - (5 << 19);
  const PruneReport report = prune(s.store, {.keep_bytes = limit});
  CHECK(report.steps == 3);
  CHECK(allocated(s.root) <= limit);
  for (int i = 0; i < 8; ++i)
    CHECK(s.store.steps.find(keys[static_cast<std::size_t>(i)]).has_value() ==
          (i < 5));
  CHECK(prune(s.store, {.keep_bytes = limit}).steps == 0);
  CHECK(prune(s.store, {.free_bytes = 1}).steps == 0);
  CHECK(prune(s.store, {.free_bytes = UINT64_MAX}).steps == 5);
}

TEST_CASE("images that have a name go only when asked for", "[prune]") {
  ScratchStore s;
  const Descriptor image = make_image(s.store, {step_layer(s.store, "a", "1")});
  s.store.images.tag({name("app:1")}, image);
  CHECK(prune(s.store, {}).images.empty());
  CHECK(prune(s.store, {.named_images = true}).images.size() == 1);
  CHECK(s.store.blobs.list().empty());
  CHECK(s.store.images.list().empty());
}

TEST_CASE("what a remote name was last resolved to stays for a while",
          "[prune]") {
  ScratchStore s;
  const Descriptor image = make_image(s.store, {step_layer(s.store, "a", "1")});
  s.store.images.remember("docker.io/library/x:1", host_platform(), image);
  prune(s.store, {.unused_for = kHour});
  CHECK(check_image(s.store, image).empty());
  CHECK(prune(s.store, {}).references == 1);
  CHECK(s.store.blobs.list().empty());
}

TEST_CASE("what came from URLs and git goes where it was not used lately",
          "[prune]") {
  ScratchStore s;
  const std::string kept = s.root + "/web/files/young";
  const std::string gone = s.root + "/git/files/old";
  for (const std::string& place : {kept, gone}) {
    make_dirs(place);
    write_file(place + "/file", "x");
  }
  const timespec times[2] = {{1600000000, 0}, {1600000000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, gone.c_str(), times, 0) == 0);
  prune(s.store, {.unused_for = kHour});
  CHECK(read_file(kept + "/file"));
  CHECK_FALSE(read_file(gone + "/file"));
}

TEST_CASE("cache mounts go only when asked for", "[prune]") {
  ScratchStore s;
  make_dirs(s.root + "/cache-mounts/apt");
  write_file(s.root + "/cache-mounts/apt/file", std::string(10000, 'x'));
  CHECK(prune(s.store, {}).cache_mounts == 0);
  const PruneReport report = prune(s.store, {.cache_mounts = true});
  CHECK(report.cache_mounts == 1);
  CHECK(report.bytes >= 10000);
}

TEST_CASE("prune leaves what a running process found or made", "[prune]") {
  ScratchStore s;
  const LayerId found = step_layer(s.store, "found", "1");
  const LayerId named = step_layer(s.store, "named", "2");
  step_layer(s.store, "unwanted", "3");
  const Digest key = key_of({{"RUN", "found"}});
  s.store.steps.put({.key = key, .layers = {found}});
  const Descriptor image = make_image(s.store, {named});
  s.store.images.tag({}, image);
  const Digest loose = s.store.blobs.put("loose");
  make_dirs(s.root + "/cache-mounts/used");
  make_dirs(s.root + "/cache-mounts/unused");
  const PruneOptions all = {.cache_mounts = true};
  LayerId made;
  {
    Store other(s.root);
    const Lease lease = other.lease();
    const Lease another = Store(s.root).lease();
    REQUIRE(other.steps.find(key));
    other.images.load(image);
    REQUIRE(other.blobs.hold(loose));
    other.hold("cache-mounts/used");
    made = step_layer(other, "made", "4");
    const PruneReport report = prune(s.store, all);
    CHECK(report.layers == 2);  // of the image there is a tarball
    CHECK(report.steps == 0);
    CHECK(report.images.empty());
    CHECK(report.blobs == 0);
    CHECK(report.cache_mounts == 1);
    CHECK(other.layers.exists(found));
    CHECK(other.layers.exists(made));
    CHECK(check_image(other, image).empty());
    // Another record under the key: the layer of the old one is still in use.
    s.store.steps.put({.key = key, .layers = {made}});
    CHECK(prune(s.store, all).layers == 0);
    CHECK(lstat_at(AT_FDCWD, s.root + "/cache-mounts/used"));
  }
  const PruneReport report = prune(s.store, all);
  CHECK(report.images.size() == 1);
  CHECK(s.store.layers.list().empty());
  CHECK(s.store.blobs.list().empty());
  CHECK(report.cache_mounts == 1);
}

TEST_CASE("a lease ends with its process, however that ends", "[prune]") {
  ScratchStore s;
  const Digest loose = s.store.blobs.put("loose");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Store store(s.root);
    const Lease lease = store.lease();
    store.blobs.hold(loose);
    static_cast<void>(::write(ready[1], "x", 1));
    ::pause();
    ::_exit(0);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(prune(s.store, {}).blobs == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(prune(s.store, {}).blobs == 1);
  const Fd leases =
      open_path(s.root + "/locks/leases", O_RDONLY | O_DIRECTORY);
  CHECK(list_dir(leases.get()).empty());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("an image gets its name or is pruned, never both", "[prune]") {
  ScratchStore s;
  const Descriptor image = make_image(s.store, {step_layer(s.store, "a", "1")});
  for (int round = 0; round < 50; ++round) {
    Store other(s.root);
    s.store.images.untag(full_name("app:1"));
    s.store.images.tag({}, image);
    std::thread pruner([&] { prune(s.store, {}); });
    bool there = true;
    {
      const Lease lease = other.lease();
      there = other.images.try_load(image).has_value();
      if (there) other.images.tag({{full_name("app:1"), "app:1"}}, image);
    }
    pruner.join();
    if (!there) return;  // pruned: nothing left to try
    CHECK(other.images.find(full_name("app:1")));
    CHECK(check_image(other, image).empty());
  }
}

TEST_CASE("a filter takes only what it is about", "[prune]") {
  ScratchStore s;
  const LayerId shared = step_layer(s.store, "shared", "1");
  const LayerId single = step_layer(s.store, "single", "2");
  put_step(s.store, "shared", {shared});
  put_step(s.store, "single", {single});
  s.store.images.tag({name("app:1")}, make_image(s.store, {shared}));
  s.store.images.tag({}, make_image(s.store, {single, shared}));
  make_dirs(s.root + "/cache-mounts/npm");
  write_file(s.root + "/cache-mounts/npm/key", "/root/.npm\n\n0:0");
  make_dirs(s.root + "/logs/build");
  std::vector<CacheItem> seen;
  const auto only = [&](auto wanted) {
    return prune(s.store, {.logs = true,
                           .cache_mounts = true,
                           .only = [&, wanted](const CacheItem& item) {
                             seen.push_back(item);
                             return wanted(item);
                           }});
  };
  only([](const CacheItem&) { return false; });
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].type == "exec.cachemount");
  CHECK(seen[0].description == "cached mount /root/.npm");
  CHECK(s.store.steps.list().size() == 2);
  const auto of_images = [](const CacheItem& item) {
    return item.type == "regular" && item.shared;
  };
  // The image without a name has the other layer.
  CHECK(only(of_images).steps == 2);
  CHECK(s.store.images.list().size() == 2);
  CHECK(lstat_at(AT_FDCWD, s.root + "/logs/build"));
  const PruneReport report = only(
      [](const CacheItem& item) { return item.type == "exec.cachemount"; });
  CHECK(report.cache_mounts == 1);
}

TEST_CASE("removing a name removes the image with the last one", "[prune]") {
  ScratchStore s;
  const LayerId layer = step_layer(s.store, "a", "1");
  const Descriptor image = make_image(s.store, {layer});
  const Descriptor dangling = make_image(s.store, {}, "linux/arm64");
  put_step(s.store, "x", {layer});
  s.store.images.tag({name("app:1"), name("app:2")}, image);
  s.store.images.tag({}, dangling);
  CHECK(remove_name(s.store, name("app:1").full).images.empty());
  CHECK(check_image(s.store, image).empty());
  CHECK(remove_name(s.store, name("app:2").full).images.size() == 1);
  CHECK_FALSE(s.store.blobs.size(image.digest));
  // A build finds its step, and other images are left alone.
  CHECK(s.store.layers.exists(layer));
  CHECK(s.store.images.list().size() == 1);
  CHECK(remove_image(s.store, dangling.digest).images.size() == 1);
  CHECK(s.store.images.list().empty());
}

TEST_CASE("usage adds up to what du counts", "[prune]") {
  ScratchStore s;
  const LayerId layer = step_layer(s.store, "a", std::string(100000, 'x'));
  s.store.images.tag({name("app:1")}, make_image(s.store, {layer}));
  write_file(s.root + "/cache-mounts/x", "1");
  ::link((s.root + "/cache-mounts/x").c_str(),
         (s.root + "/cache-mounts/y").c_str());
  s.store.blobs.put(std::string(20000, 'l'));
  const Usage sum = usage(s.store);
  const std::string du = run("du -s --block-size=1 " + s.root);
  CHECK(sum.total() == std::stoull(du));
  CHECK(total_bytes(s.store) == sum.total());
  CHECK(sum.part("layers").bytes > 100000);
  CHECK(sum.part("layers").count == 1);
  CHECK(sum.part("blobs").count == 4);
  // The loose blob, and no other.
  CHECK(sum.part("blobs").reclaimable == 20480);
  CHECK(sum.part("cache-mounts").reclaimable > 0);
}

TEST_CASE("a layer is counted again when something came into it", "[prune]") {
  ScratchStore s;
  const LayerId layer = step_layer(s.store, "a", std::string(100000, 'x'));
  const std::uint64_t before = total_bytes(s.store);
  CHECK(total_bytes(s.store) == before);
  const std::string extra = s.store.layers.directory(layer) + "/extra";
  write_file(extra, std::string(50000, 'y'));
  CHECK(total_bytes(s.store) >= before + 50000);
}

TEST_CASE("a reserve is kept, and says how much to keep where it is alone",
          "[prune]") {
  ScratchStore s;
  for (int i = 0; i < 6; ++i)
    put_step(s.store, std::to_string(i),
             {step_layer(s.store, "f",
                         std::string(1 << 20, static_cast<char>('a' + i)))},
             i * kHour * 2);
  const std::uint64_t size = total_bytes(s.store);
  const std::uint64_t some = size - (5 << 19);
  CHECK(
      prune(s.store, {.keep_bytes = 0, .reserved_bytes = some, .dry_run = true})
          .steps == 3);
  CHECK(prune(s.store, {.free_bytes = 1, .reserved_bytes = 1}).steps == 0);
  CHECK(prune(s.store, {.reserved_bytes = some}).steps == 3);
  CHECK(total_bytes(s.store) <= some);
}

TEST_CASE("a cap takes images without a name and the oldest steps", "[prune]") {
  ScratchStore s;
  const auto big = [&](char c) {
    return step_layer(s.store, "f",
                      std::string(1 << 20, c) + random_hex(1 << 19));
  };
  const LayerId named = big('a');
  const LayerId loose = big('b');
  const LayerId result = big('c');
  s.store.images.tag({name("app:1")}, make_image(s.store, {named}));
  s.store.images.tag({}, make_image(s.store, {loose}));
  const Descriptor spared = make_image(s.store, {result});
  s.store.images.tag({}, spared);
  put_step(s.store, "old", {loose}, 48 * kHour);
  put_step(s.store, "new", {result});
  put_step(s.store, "named", {named});
  CHECK_FALSE(enforce_cap(s.store, UINT64_MAX, spared.digest));
  // A little less than there is: only what is oldest goes.
  auto report =
      enforce_cap(s.store, total_bytes(s.store) - (1 << 20), spared.digest);
  REQUIRE(report);
  CHECK(report->steps == 1);
  CHECK(report->images.size() == 1);
  CHECK(s.store.layers.exists(result));
  report = enforce_cap(s.store, 1, spared.digest);
  REQUIRE(report);
  CHECK(report->steps == 2);
  CHECK(check_image(s.store, spared).empty());
  CHECK(s.store.images.list().size() == 2);
}

TEST_CASE("work is claimed by one at a time, without a file for each",
          "[locks]") {
  ScratchStore s;
  {
    const auto claim = s.store.try_claim("step-x");
    REQUIRE(claim);
    CHECK_FALSE(s.store.try_claim("step-x"));
    CHECK_FALSE(Store(s.root).try_claim("step-x"));
    CHECK(s.store.try_claim("step-y"));
  }
  CHECK(s.store.try_claim("step-x"));
  CHECK_FALSE(lstat_at(AT_FDCWD, s.root + "/locks/step-x"));
}
