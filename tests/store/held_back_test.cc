#include "store/held_back.h"

#include <catch2/catch.hpp>

#include "store/xattrs.h"

namespace cbuild::store {
namespace {

// security.capability as the kernel lays it out: little-endian words.
std::string words(std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers)
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

}  // namespace

TEST_CASE("a capability of one user namespace becomes one of all") {
  const std::string plain = words({0x02000001, 0x2000, 0, 0, 0});
  CHECK(plain_capability(words({0x03000001, 0x2000, 0, 0, 0, 100000})) ==
        plain);
  CHECK(plain_capability(plain) == plain);
  CHECK(plain_capability("short") == "short");
}

TEST_CASE("what is held back is what the index says") {
  LayerIndex index;
  index.entries.resize(2);
  index.entries[0].path = "a";
  index.entries[1].path = "dev";
  index.entries[1].size = 3;
  HeldBackPaths held;
  held["a"].owner = HeldBack::Owner{1000, 50, 0, 0};
  held["a"].capability = words({0x03000001, 1, 0, 0, 0, 7});
  held["dev"].device = HeldBack::Device{EntryType::block_device, 8, 1};
  held["gone"].owner = HeldBack::Owner{1, 1, 0, 0};
  for (IndexEntry& entry : index.entries) apply_held_back(held, entry);

  CHECK(index.entries[0].uid == 1000);
  CHECK(index.entries[0].gid == 50);
  CHECK(index.entries[0].xattrs.at("security.capability") ==
        words({0x02000001, 1, 0, 0, 0}));
  CHECK(index.entries[1].type == EntryType::block_device);
  CHECK(index.entries[1].dev_major == 8);
  CHECK(index.entries[1].dev_minor == 1);
  CHECK(index.entries[1].size == 0);
}

TEST_CASE("no layer can say what is held back") {
  CHECK(is_reserved_xattr("user.cbuild.owner"));
  CHECK(is_reserved_xattr("user.overlay.opaque"));
  CHECK_FALSE(is_reserved_xattr("user.mime_type"));
}

}  // namespace cbuild::store
