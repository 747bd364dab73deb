#include "registry/web_client.h"

#include <time.h>

#include "registry/answer.h"

namespace cbuild::registry {

std::optional<std::int64_t> parse_http_date(const std::string& text) {
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT",
                             "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %T %Y"}) {
    struct tm date {};
    const char* end = ::strptime(text.c_str(), format, &date);
    if (end != nullptr && *end == '\0') return ::timegm(&date);
  }
  return std::nullopt;
}

WebClient::WebClient(const ClientOptions& options)
    : http_({.verify = !options.insecure,
             .ca_files = options.ca_files,
             .stop = options.stop}),
      retry_{options.retry_pause, options.stop} {}

WebAnswer WebClient::get(const WebRequest& request, const WebSink& sink) {
  const std::optional<Url> url = Url::parse(request.url);
  if (!url) throw RegistryError("no such URL: " + request.url, 0, "");
  HttpRequest call;
  call.method = request.head ? "HEAD" : "GET";
  call.url = *url;
  call.authorization = request.authorization;
  if (!request.etag.empty())
    call.headers.push_back("If-None-Match: " + request.etag);
  else if (!request.last_modified.empty())
    call.headers.push_back("If-Modified-Since: " + request.last_modified);
  Retry retry(retry_);
  return retry.run([&] { return attempt(call, sink); });
}

WebAnswer WebClient::attempt(HttpRequest& request, const WebSink& sink) {
  const bool head = request.method == "HEAD";
  const std::string place = request.url.redacted();
  std::uint64_t offset = 0;
  if (!head) {
    sink(0, {});
    request.on_body = [&](const HttpResponse&, std::string_view data) {
      sink(offset, data);
      offset += data.size();
    };
  }
  const HttpResponse response = http_.send(request);
  WebAnswer answer{response.status, response.header("etag"),
                   response.header("last-modified")};
  if (head || response.ok() || response.status == 304) return answer;
  const std::string words = place + ": invalid response status " +
                            std::to_string(response.status) + ": " +
                            words_of(response).message;
  if (response.status == 401 || response.status == 403)
    throw CredentialsError(words);
  throw HttpFailure(words, response.status, "", retry_after(response));
}

}  // namespace cbuild::registry
