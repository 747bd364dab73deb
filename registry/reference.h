// Names of images, as distribution/reference reads and docker prints them.
//
//   app                            docker.io/library/app, familiar "app"
//   team/app:1                     docker.io/team/app:1
//   localhost:5000/a/b@sha256:...  as it stands: the first part is a host if it
//                                  has '.', ':' or capitals, or is localhost
//
// Pure values: no file, no network, any thread. text() and parse() are
// inverses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/digest.h"

namespace cbuild::registry {

// "invalid reference format" and its kind (the texts of
// distribution/reference).
class ReferenceError : public Error {
 public:
  using Error::Error;
};

class Reference {
 public:
  // Normalises; throws ReferenceError. No tag is added. "scratch" is a name
  // like any other here.
  static Reference parse(std::string_view text);
  static std::optional<Reference> try_parse(std::string_view text);

  const std::string& domain() const { return domain_; }  // "docker.io"
  const std::string& path() const { return path_; }      // "library/app"
  const std::optional<std::string>& tag() const { return tag_; }
  const std::optional<store::Digest>& digest() const { return digest_; }
  // A sha384 or sha512 digest ("sha512:..."), else empty. Such a reference is
  // well formed, but the store names content by sha256: resolving it throws.
  const std::string& other_digest() const { return other_digest_; }

  // With ":latest" where there is neither a tag nor a digest.
  Reference with_default_tag() const;
  // Replaces the tag; a digest stays. Throws ReferenceError for a bad tag.
  Reference with_tag(std::string_view tag) const;
  // Replaces the digest; a tag stays.
  Reference with_digest(const store::Digest& digest) const;

  std::string name() const { return domain_ + "/" + path_; }
  std::string text() const;           // full: "docker.io/library/app:1"
  std::string familiar() const;       // short: "app:1"
  std::string familiar_name() const;  // short, without tag and digest: "app"

  bool operator==(const Reference&) const = default;

 private:
  Reference() = default;
  std::string suffix() const;  // ":tag@digest"

  std::string domain_;
  std::string path_;
  std::optional<std::string> tag_;
  std::optional<store::Digest> digest_;
  std::string other_digest_;
};

}  // namespace cbuild::registry
