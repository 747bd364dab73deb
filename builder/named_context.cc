#include "builder/named_context.h"

#include "base/error.h"
#include "base/text.h"
#include "builder/git_reference.h"
#include "builder/local_context.h"
#include "registry/reference.h"

namespace cbuild::builder {
namespace {

constexpr std::string_view kImageScheme = "docker-image://";
constexpr std::string_view kLayoutScheme = "oci-layout://";

// "dir[:tag][@digest]", the tag being latest.
NamedImage layout_image(std::string text) {
  NamedImage image;
  image.tag = "latest";
  if (const std::size_t at = text.find('@'); at != std::string::npos) {
    image.digest = text.substr(at + 1);
    text.resize(at);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos) image.tag = text.substr(colon + 1);
  image.layout = text.substr(0, colon);
  return image;
}

}  // namespace

bool is_web_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

bool is_remote(const std::string& text) {
  return GitReference::parse(text).has_value() || is_web_url(text);
}

NamedContext NamedContext::parse(const std::string& name,
                                 const std::string& value) {
  NamedContext context;
  context.value = value;
  const std::string what = "--build-context " + name + "=" + value;
  try {
    if (value.starts_with(kImageScheme)) {
      context.kind = Kind::image;
      context.image.reference = value.substr(kImageScheme.size());
      return context;
    }
    if (value.starts_with(kLayoutScheme)) {
      context.kind = Kind::image;
      context.image = layout_image(value.substr(kLayoutScheme.size()));
      if (!is_directory(context.image.layout))
        throw Error("no such directory: " + context.image.layout);
      return context;
    }
    if (value.starts_with("target:"))
      throw Error("targets of other builds are bake's");
    if (is_remote(value)) {
      context.kind = Kind::remote;
      return context;
    }
  } catch (const Error& e) {
    throw UsageError(what + ": " + e.what());
  }
  if (value.find("://") != std::string::npos)
    throw UsageError(what + ": unsupported context source " +
                     value.substr(0, value.find(':')));
  if (!is_directory(value))
    throw UsageError("failed to get build context path: " + value +
                     ": no such directory");
  return context;
}

std::string context_key(const std::string& name) {
  const std::size_t mark = name.find("::");
  const std::string base = name.substr(0, mark);
  const std::string platform =
      mark == std::string::npos ? "" : name.substr(mark);
  const auto reference = registry::Reference::try_parse(base);
  if (!reference) return name;
  std::string key = reference->familiar();
  if (key.ends_with(":latest")) key.resize(key.size() - 7);
  return key + platform;
}

}  // namespace cbuild::builder
