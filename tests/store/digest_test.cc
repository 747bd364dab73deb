#include "store/digest.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace cbuild;
using namespace cbuild::store;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4", "[digest]") {
  CHECK(sha256("").hex() ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc").hex() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Hasher hasher;
  for (int i = 0; i < 1000; ++i) hasher.update(std::string(1000, 'a'));
  CHECK(hasher.finish().hex() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("text, hex and raw bytes of a digest give the digest back",
          "[digest]") {
  const Digest digest = sha256("x");
  CHECK(Digest::parse(digest.text()) == digest);
  CHECK(Digest::from_hex(digest.hex()) == digest);
  CHECK(Digest::from_raw(digest.raw()) == digest);
  CHECK(digest.raw().size() == 32);
  CHECK(digest.short_text() == "sha256:2d711642b726");
}

TEST_CASE("text that is no digest is refused", "[digest]") {
  const std::string hex(64, 'a');
  const std::string bad[] = {
      "",
      hex,                               // no algorithm
      "sha512:" + hex,                   // another algorithm
      "sha256:" + hex.substr(1),         // too short
      "sha256:" + hex + "a",             // too long
      "sha256:" + std::string(64, 'A'),  // upper case is another name
      "sha256:" + std::string(64, 'g'),
      "sha256:../../../../etc/passwd",
  };
  for (const std::string& text : bad) {
    CHECK_FALSE(Digest::try_parse(text));
    CHECK_THROWS_AS(Digest::parse(text), Error);
  }
}
