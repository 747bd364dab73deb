// SHA-256 digests: the names of everything in the store.
//
// The only user of OpenSSL. libcrypto is linked statically and its
// configuration file is never read (it costs more than a cached build).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cbuild::store {

// "sha256:" and 64 lower-case hexadecimal digits (OCI image-spec, descriptor).
class Digest {
 public:
  // Throws Error if `text` is not such a digest. parse and text are inverses.
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  // From 64 hexadecimal digits or from 32 raw bytes.
  static Digest from_hex(std::string_view hex);
  static Digest from_raw(std::string_view raw);

  std::string text() const { return "sha256:" + hex(); }
  std::string hex() const;
  // "sha256:" and the first 12 digits, for people.
  std::string short_text() const { return "sha256:" + hex().substr(0, 12); }
  std::string raw() const;  // 32 bytes

  auto operator<=>(const Digest&) const = default;

 private:
  Digest() = default;
  // Bytes, not text: an index holds one per file, and loading it must not
  // allocate for each.
  std::array<unsigned char, 32> raw_ = {};
};

Digest sha256(std::string_view data);

// Hashes a stream. Move-only; one thread at a time.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::string_view data);
  // The digest of all that was passed to update(); call once.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The same with the first 32 of SHA-512's 64 bytes. Names no blob: see
// store/content_digest.h.
class HalfSha512 {
 public:
  HalfSha512();
  HalfSha512(HalfSha512&&) noexcept;
  HalfSha512& operator=(HalfSha512&&) noexcept;
  ~HalfSha512();

  void update(std::string_view data);
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace cbuild::store
