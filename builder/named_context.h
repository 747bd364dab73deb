// What a value of --build-context stands for; pure but for looking whether a
// directory is there.
#pragma once

#include <optional>
#include <string>
#include <variant>

namespace cbuild::builder {

// An image: of a registry or of the store, or in an OCI layout.
struct NamedImage {
  std::string reference;  // "" for an OCI layout; "scratch" has no files
  std::string layout;     // directory
  std::string tag;        // of the layout
  std::string digest;     // "sha256:..." where one was given
};

struct NamedContext {
  enum class Kind { directory, remote, image } kind = Kind::directory;
  std::string value;  // as given
  NamedImage image;

  // Throws UsageError for what stands for nothing, naming both.
  static NamedContext parse(const std::string& name, const std::string& value);
};

// A git repository or an http(s) URL (buildx IsRemoteURL). Throws Error for a
// repository that is written wrongly.
bool is_remote(const std::string& text);
bool is_web_url(const std::string& text);

// How the name of a stage or image is matched: familiar, without :latest. A
// "::platform" behind it is kept.
std::string context_key(const std::string& name);

}  // namespace cbuild::builder
