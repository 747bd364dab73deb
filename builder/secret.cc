#include "builder/secret.h"

#include <cstdlib>

#include "base/dir.h"
#include "base/text.h"
#include "registry/errors.h"

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

std::optional<std::string> read_line_secret(const BuildRequest& request,
                                            const std::string& id) {
  std::optional<std::string> content = read_secret(request, id);
  if (!content) return std::nullopt;
  std::string line(trim(*content));
  if (line.find_first_of("\r\n") != std::string::npos)
    throw registry::CredentialsError("secret " + id +
                                     ": has more than one line");
  return line;
}

}  // namespace cbuild::builder
