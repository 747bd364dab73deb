#include "registry/reference.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"

// The grammar of distribution/reference, by hand: its pieces are regular and
// the separators '/', ':' and '@' tell where one ends.
//
//   reference  := name [":" tag] ["@" digest]
//   name       := [domain "/"] component ("/" component)*
//   domain     := (label ("." label)* | "[" hex digits and colons "]") [":"
//   port] component  := alnum+ (("." | "_" | "__" | "-"+) alnum+)*     lower
//   case tag        := word (word | "." | "-"){0,127} digest     := algorithm
//   ":" hex{32,}

namespace cbuild::registry {
namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDomain = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxPath = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMinDigestHex = 32;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

template <typename Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

bool is_component(std::string_view text) {
  std::size_t i = 0;
  for (;;) {
    const std::size_t start = i;
    while (i < text.size() && is_lower_alnum(text[i])) ++i;
    if (i == start) return false;
    if (i == text.size()) return true;
    const std::size_t separator = i;
    while (i < text.size() && text[i] == text[separator]) ++i;
    const std::size_t length = i - separator;
    switch (text[separator]) {
      case '-':
        break;
      case '_':
        if (length > 2) return false;
        break;
      case '.':
        if (length > 1) return false;
        break;
      default:
        return false;
    }
  }
}

bool is_path(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return is_component(part);
  });
}

bool is_label(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         all(text, [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
  const std::size_t host_end =
      text.starts_with('[') ? text.find(']') : text.find(':');
  std::string_view host = text.substr(0, host_end);
  std::string_view rest;
  if (text.starts_with('[')) {
    if (host_end == std::string_view::npos) return false;
    rest = text.substr(host_end + 1);
    host.remove_prefix(1);
    if (host.empty() ||
        !all(host, [](char c) { return is_hex(c) || c == ':'; }))
      return false;
  } else {
    if (host_end != std::string_view::npos) rest = text.substr(host_end);
    for (const std::string& label : split(host, '.'))
      if (!is_label(label)) return false;
  }
  if (rest.empty()) return true;
  return rest.size() > 1 && rest[0] == ':' && all(rest.substr(1), is_digit);
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_alnum(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTag && word(text[0]) &&
         all(text, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

// Letters and digits in runs that start with a letter, joined by one of "-_+.".
bool is_algorithm(std::string_view text) {
  bool start = true;
  for (const char c : text) {
    if (start ? !is_letter(c)
              : !is_alnum(c) && c != '-' && c != '_' && c != '+' && c != '.')
      return false;
    start = !is_alnum(c);
  }
  return !start;
}

bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view hex = text.substr(colon + 1);
  return is_algorithm(text.substr(0, colon)) && hex.size() >= kMinDigestHex &&
         all(hex, is_hex);
}

// What go-digest says of a digest that fits the grammar.
void validate_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view hex = text.substr(colon + 1);
  std::size_t digits = 0;
  if (algorithm == "sha256") digits = 64;
  if (algorithm == "sha384") digits = 96;
  if (algorithm == "sha512") digits = 128;
  if (digits == 0) {
    if (!all(algorithm, [](char c) { return !is_upper(c); }))
      throw ReferenceError("invalid checksum digest format");
    throw ReferenceError("unsupported digest algorithm");
  }
  if (hex.size() != digits)
    throw ReferenceError("invalid checksum digest length");
  if (!all(hex, is_lower_hex))
    throw ReferenceError("invalid checksum digest format");
}

struct Name {
  std::string domain;
  std::string rest;
};

// docker's reading of a short name: is the part before the first '/' a host?
Name split_domain(std::string_view text) {
  Name name;
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  if (slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos ||
       first == "localhost" ||
       !all(first, [](char c) { return !is_upper(c); })))
    name = {std::string(first), std::string(text.substr(slash + 1))};
  else
    name = {std::string(kDefaultDomain), std::string(text)};
  if (name.domain == kLegacyDomain) name.domain = kDefaultDomain;
  if (name.domain == kDefaultDomain && name.rest.find('/') == std::string::npos)
    name.rest.insert(0, kOfficial);
  return name;
}

bool is_bare_id(std::string_view text) {
  return text.size() == 64 && all(text, is_lower_hex);
}

}  // namespace

Reference Reference::parse(std::string_view text) {
  const ReferenceError invalid("invalid reference format");
  if (is_bare_id(text))
    throw ReferenceError("invalid repository name (" + std::string(text) +
                         "), cannot specify 64-byte hexadecimal strings");
  const Name name = split_domain(text);
  const std::string repository = name.rest.substr(0, name.rest.find(':'));
  if (!all(repository, [](char c) { return !is_upper(c); }))
    throw ReferenceError("invalid reference format: repository name (" +
                         repository + ") must be lowercase");

  std::string_view path = name.rest;
  Reference reference;
  std::string_view digest;
  const std::size_t at = path.find('@');
  if (at != std::string_view::npos) {
    digest = path.substr(at + 1);
    path = path.substr(0, at);
    if (!is_digest(digest)) throw invalid;
  }
  const std::size_t colon = path.find(':');
  if (colon != std::string_view::npos) {
    reference.tag_ = path.substr(colon + 1);
    path = path.substr(0, colon);
    if (!is_tag(*reference.tag_)) throw invalid;
  }
  reference.domain_ = name.domain;
  reference.path_ = path;
  if (!is_domain(reference.domain_) || !is_path(path)) throw invalid;
  if (path.size() > kMaxPath)
    throw ReferenceError(
        "repository name must not be more than 255 characters");
  if (digest.empty()) return reference;
  validate_digest(digest);
  reference.digest_ = store::Digest::try_parse(digest);
  if (!reference.digest_) reference.other_digest_ = digest;
  return reference;
}

std::optional<Reference> Reference::try_parse(std::string_view text) {
  try {
    return parse(text);
  } catch (const ReferenceError&) {
    return std::nullopt;
  }
}

Reference Reference::with_default_tag() const {
  Reference result = *this;
  if (!tag_ && !digest_ && other_digest_.empty()) result.tag_ = "latest";
  return result;
}

Reference Reference::with_tag(std::string_view tag) const {
  if (!is_tag(tag)) throw ReferenceError("invalid tag format");
  Reference result = *this;
  result.tag_ = tag;
  return result;
}

Reference Reference::with_digest(const store::Digest& digest) const {
  Reference result = *this;
  result.digest_ = digest;
  result.other_digest_.clear();
  return result;
}

std::string Reference::suffix() const {
  std::string result;
  if (tag_) result += ":" + *tag_;
  if (digest_) result += "@" + digest_->text();
  if (!other_digest_.empty()) result += "@" + other_digest_;
  return result;
}

std::string Reference::text() const { return name() + suffix(); }

std::string Reference::familiar() const { return familiar_name() + suffix(); }

std::string Reference::familiar_name() const {
  if (domain_ != kDefaultDomain) return name();
  if (path_.starts_with(kOfficial) &&
      path_.find('/', kOfficial.size()) == std::string::npos)
    return path_.substr(kOfficial.size());
  return path_;
}

}  // namespace cbuild::registry
