// What prune remembers so as not to read everything again, and that it is never
// believed where something changed.
#include "store/swept.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "image_fixture.h"
#include "store/image_links.h"
#include "store/prune.h"
#include "store/usage.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

const PruneOptions kNothingOld = {.unused_for = 1000000};

// Until the last change is long enough ago for the state to be remembered.
void sweep(Store& store) {
  for (int i = 0; i < 1000 && !is_swept(store); ++i) {
    prune(store, kNothingOld);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  REQUIRE(is_swept(store));
}

Digest put_step(Store& store, const std::vector<LayerId>& layers) {
  const KeyInputs inputs = {{"command", layers.back()}};
  store.steps.put({.key = key_of(inputs), .inputs = inputs, .layers = layers});
  return key_of(inputs);
}

}  // namespace

TEST_CASE("a swept store is not read again, and any change ends that",
          "[prune]") {
  ScratchStore s;
  const LayerId layer = step_layer(s.store, "a", "of a step");
  const LayerId base = step_layer(s.store, "b", "of an image");
  const LayerId pulled = step_layer(s.store, "c", "of a remembered base");
  const Digest key = put_step(s.store, {layer});
  const Descriptor image = make_image(s.store, {base});
  s.store.images.tag({{full_name("app:1"), "app:1"}}, image);
  s.store.images.remember("r", {}, make_image(s.store, {pulled}));
  sweep(s.store);
  const std::size_t layers = s.store.layers.list().size();
  const std::size_t blobs = s.store.blobs.list().size();
  const auto goes = [&] {
    const PruneReport report = prune(s.store, kNothingOld);
    return report.layers + report.blobs;
  };
  CHECK(goes() == 0);

  SECTION("a record goes") { s.store.steps.remove(key); }
  SECTION("a name goes") { s.store.images.remove(image.digest); }
  SECTION("a remembered base is another one now") {
    s.store.images.remember("r", {}, image);
  }
  SECTION("a layer comes") { step_layer(s.store, "d", "of nobody"); }
  SECTION("a blob comes") { s.store.blobs.put("of nobody"); }
  SECTION("a record is replaced") {
    s.store.steps.put({.key = key, .layers = {base}});
  }
  SECTION("records are old enough to go") {
    const PruneReport report = prune(s.store, {});
    CHECK(report.steps == 1);
    CHECK(report.layers > 0);
    return;
  }
  SECTION("the store is too large") {
    const PruneReport report = prune(s.store, {.keep_bytes = 0});
    CHECK(report.steps == 1);
    return;
  }
  CHECK(goes() > 0);
  CHECK((s.store.layers.list().size() <= layers &&
         s.store.blobs.list().size() <= blobs));
}

TEST_CASE("a store is not remembered as swept while something is held",
          "[prune]") {
  ScratchStore s;
  const Lease lease = s.store.lease();
  step_layer(s.store, "a", "of a build that runs");
  std::this_thread::sleep_for(std::chrono::milliseconds(450));
  prune(s.store, kNothingOld);
  CHECK_FALSE(is_swept(s.store));
  CHECK_FALSE(s.store.layers.list().empty());
}

TEST_CASE("what was remembered of a store in another boot does not count",
          "[prune]") {
  ScratchStore s;
  sweep(s.store);
  std::string state = *read_file(s.root + "/swept");
  state[0] = state[0] == '0' ? '1' : '0';
  write_file(s.root + "/swept", state);
  CHECK_FALSE(is_swept(s.store));
}

TEST_CASE("what an image names is remembered, and read again where it is not",
          "[prune]") {
  ScratchStore s;
  const Descriptor image = make_image(
      s.store, {step_layer(s.store, "a", "1"), step_layer(s.store, "b", "2")});
  const std::string path = s.root + "/image-links";
  const auto ask = [&] {
    ImageLinks links(s.root);
    const Links found = links.of(s.store.blobs, image.digest);
    links.save();
    return std::pair(found.blobs, found.diff_ids);
  };
  const auto first = ask();
  CHECK(first.first.size() == 3);
  CHECK(first.second.size() == 2);
  const std::string text = *read_file(path);
  std::string digit = text;
  digit[text.size() - 2] ^= 1;  // of the last diffID
  // All of it but the last diffID is a line that could have been written.
  const std::string shorter = text.substr(0, text.size() - 66) + "\n";
  for (const std::string& damaged :
       {std::string(), std::string("\n"), text.substr(0, text.size() / 2),
        "x" + text, digit, shorter, std::string("a b c\n")}) {
    write_file(path, damaged);
    CHECK(ask() == first);
    CHECK(*read_file(path) == text);
  }
  // From here on only the remembered line can answer.
  s.store.blobs.remove(image.digest);
  CHECK(ask() == first);
}

TEST_CASE("a folder whose size is remembered is counted again after a change",
          "[prune]") {
  ScratchStore s;
  s.store.blobs.put("a");
  put_step(s.store, {"1"});
  const auto remembered = [&] {
    const std::string text = read_file(s.root + "/folder-sizes").value_or("");
    return text.find("blobs/sha256 ") != text.npos &&
           text.find("steps ") != text.npos;
  };
  for (int i = 0; i < 1000 && !remembered(); ++i) {
    total_bytes(s.store);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  REQUIRE(remembered());
  const auto is_right = [&] {  // counted first: that changes folder-sizes
    const std::uint64_t total = total_bytes(s.store);
    return usage(s.store).total() == total &&
           run("du -s --block-size=1 " + s.root)
               .starts_with(std::to_string(total) + "\t");
  };
  CHECK(is_right());
  const Digest blob = s.store.blobs.put(std::string(100000, 'b'));
  const Digest key = put_step(s.store, {std::string(20000, '2')});
  CHECK(is_right());
  s.store.blobs.remove(blob);
  s.store.steps.remove(key);
  CHECK(is_right());
  write_file(s.root + "/folder-sizes", "steps 1\nx\nblobs/sha256 a b\n");
  CHECK(is_right());
}
