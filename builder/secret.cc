#include "builder/secret.h"

#include <cstdlib>

#include "base/dir.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kMaxSize = 500 * 1024;

std::optional<std::string> content_of(const SecretSource& source) {
  if (source.kind == SecretSource::Kind::file) return read_file(source.value);
  const char* value = std::getenv(source.value.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

std::optional<std::string> read_secret(const BuildRequest& request,
                                       const std::string& id) {
  const auto source = request.secrets.find(id);
  if (source == request.secrets.end()) return std::nullopt;
  std::optional<std::string> content = content_of(source->second);
  if (content && content->size() > kMaxSize)
    throw Error("secret " + id + ": larger than 500 KiB");
  return content;
}

}  // namespace cbuild::builder
