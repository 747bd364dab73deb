// WebSource over HTTP, with the settings and the patience of a registry client:
// certificates, proxies, redirects, and tries again as registry/retry.h says.
// A second try starts from the beginning. Thread-safe.
#pragma once

#include "registry/client.h"
#include "registry/http.h"
#include "registry/retry.h"
#include "registry/web.h"

namespace cbuild::registry {

class WebClient final : public WebSource {
 public:
  explicit WebClient(const ClientOptions& options);
  WebAnswer get(const WebRequest& request, const WebSink& sink) override;

 private:
  WebAnswer attempt(HttpRequest& request, const WebSink& sink);

  Http http_;
  RetryPolicy retry_;
};

}  // namespace cbuild::registry
