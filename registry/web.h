// Files from http(s) URLs, as the builder asks for them: ADD, contexts and
// Dockerfiles from the network. Tests have a fake.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cbuild::registry {

struct WebRequest {
  std::string url;
  std::string authorization;  // sent to the origin of `url` only, or empty
  // What is known of the file already, or empty: it may be answered with 304.
  std::string etag;
  std::string last_modified;
  bool head = false;  // asks what is known of the file, not for its content
};

struct WebAnswer {
  int status = 0;
  std::string etag;           // as it came
  std::string last_modified;  // as it came

  bool ok() const { return status >= 200 && status < 300; }
};

// Receives a file piece by piece. Offset 0 says that it starts, or starts over.
using WebSink =
    std::function<void(std::uint64_t offset, std::string_view data)>;

class WebSource {
 public:
  virtual ~WebSource() = default;

  // Gives the content of a 2xx answer to `sink`. 2xx and 304 are answers; with
  // `head` every status is, and `sink` is not used. Throws CredentialsError for
  // 401 and 403, RegistryError for all else.
  virtual WebAnswer get(const WebRequest& request, const WebSink& sink) = 0;
};

// Seconds since the epoch of a date in HTTP (RFC 9110, 5.6.7), or nullopt.
std::optional<std::int64_t> parse_http_date(const std::string& text);

}  // namespace cbuild::registry
