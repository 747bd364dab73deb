#include "store/digest.h"

// The one-shot interface below is what OpenSSL 3 calls low level. It has the
// same assembly as EVP (SHA-NI where the processor has it), needs no provider,
// no locks and no configuration, and so costs nothing at the start.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "base/error.h"

namespace cbuild::store {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexDigits = 64;

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> unhex(std::string_view hex) {
  if (hex.size() != kHexDigits) return std::nullopt;
  std::string raw;
  raw.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    raw += static_cast<char>(high << 4 | low);
  }
  return raw;
}

// No configuration file and no error strings, should libcrypto ever want to
// initialise itself.
void initialize() {
  [[maybe_unused]] static const int done = OPENSSL_init_crypto(
      OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS,
      nullptr);
}

}  // namespace

Digest Digest::parse(std::string_view text) {
  const std::optional<Digest> digest = try_parse(text);
  if (!digest)
    throw Error("not a SHA-256 digest: \"" + std::string(text) + "\"");
  return *digest;
}

std::optional<Digest> Digest::try_parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const auto raw = unhex(text.substr(kPrefix.size()));
  if (!raw) return std::nullopt;
  return from_raw(*raw);
}

Digest Digest::from_hex(std::string_view hex) {
  const auto raw = unhex(hex);
  if (!raw)
    throw Error("not 64 hexadecimal digits: \"" + std::string(hex) + "\"");
  return from_raw(*raw);
}

Digest Digest::from_raw(std::string_view raw) {
  Digest digest;
  if (raw.size() != digest.raw_.size())
    throw Error("a SHA-256 digest has 32 bytes, not " +
                std::to_string(raw.size()));
  std::copy(raw.begin(), raw.end(), digest.raw_.begin());
  return digest;
}

std::string Digest::hex() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex(kHexDigits, '0');
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    hex[2 * i] = digits[raw_[i] >> 4];
    hex[2 * i + 1] = digits[raw_[i] & 15];
  }
  return hex;
}

std::string Digest::raw() const { return {raw_.begin(), raw_.end()}; }

struct Hasher::Context {
  SHA256_CTX sha;
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {
  initialize();
  SHA256_Init(&context_->sha);
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view data) {
  SHA256_Update(&context_->sha, data.data(), data.size());
}

Digest Hasher::finish() {
  std::string raw(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(raw.data()), &context_->sha);
  return Digest::from_raw(raw);
}

Digest sha256(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

struct HalfSha512::Context {
  SHA512_CTX sha;
};

HalfSha512::HalfSha512() : context_(std::make_unique<Context>()) {
  initialize();
  SHA512_Init(&context_->sha);
}

HalfSha512::HalfSha512(HalfSha512&&) noexcept = default;
HalfSha512& HalfSha512::operator=(HalfSha512&&) noexcept = default;
HalfSha512::~HalfSha512() = default;

void HalfSha512::update(std::string_view data) {
  SHA512_Update(&context_->sha, data.data(), data.size());
}

Digest HalfSha512::finish() {
  std::string raw(SHA512_DIGEST_LENGTH, '\0');
  SHA512_Final(reinterpret_cast<unsigned char*>(raw.data()), &context_->sha);
  return Digest::from_raw(std::string_view(raw).substr(0, raw.size() / 2));
}

}  // namespace cbuild::store
