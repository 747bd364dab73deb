// One HTTP/1.1 exchange at a time, over libcurl, which is loaded when the
// first one is made.
//
// Redirects are followed here and not by libcurl, because the Authorization of
// a registry must not reach the storage service it redirects to. A connection
// is kept for the next exchange with its host. HTTP/2 stays off: it is slower
// for uploads (reference/peers.md 6.3). Proxies are taken from $http_proxy,
// $https_proxy, $no_proxy and their capital forms, never for this machine.
// Thread-safe; each thread in send() has its own connection. Times out after
// 30 s without a connection and 60 s without a byte (300 s while a registry
// digests an upload).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/errors.h"
#include "registry/url.h"

namespace cbuild::registry {

// Why there was no answer, as far as it matters to what is done next.
enum class Fault {
  none,  // there was an answer: see status()
  unknown_host,
  refused,  // no connection
  timed_out,
  not_tls,    // the other side does not speak TLS
  tls,        // the handshake failed otherwise
  untrusted,  // the certificate cannot be verified
  broken,     // the connection ended early
  other,
};

// The sentence for it: where, what (`detail` in the library's words, `os_error`
// an errno or 0), and which option helps.
std::string explain_fault(Fault fault, const Url& url,
                          const std::string& detail, int os_error);

// An exchange that failed, with what a second try needs to know.
class HttpFailure : public RegistryError {
 public:
  HttpFailure(std::string message, Fault fault)
      : RegistryError(std::move(message), 0, ""), fault_(fault) {}
  HttpFailure(std::string message, int status, std::string code,
              std::optional<std::chrono::seconds> retry_after)
      : RegistryError(std::move(message), status, std::move(code)),
        retry_after_(retry_after) {}

  Fault fault() const noexcept { return fault_; }
  std::optional<std::chrono::seconds> retry_after() const noexcept {
    return retry_after_;
  }

 private:
  Fault fault_ = Fault::none;
  std::optional<std::chrono::seconds> retry_after_;
};

struct HttpResponse {
  struct Header {
    std::string name;  // lower case
    std::string value;
  };

  int status = 0;
  std::vector<Header> headers;
  std::string body;  // what was not given to on_body
  Url url;           // that answered, after redirects

  bool ok() const { return status >= 200 && status < 300; }
  // The first value of a header, or empty. `name` in lower case.
  std::string header(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
};

// A part of an open file, read with pread(2).
struct FileBody {
  int fd = -1;
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

// AWS Signature Version 4.
struct AwsSigning {
  std::string scope;  // "aws:amz:<region>:<service>"
  std::string access_key;
  std::string secret_key;
};

struct HttpRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::string> headers;   // "Name: value"
  std::optional<AwsSigning> signing;  // in place of `authorization`
  std::string authorization;          // sent to the origin of `url` only
  std::string body;
  std::optional<FileBody> file;  // in place of `body`
  // Receives the body of a 2xx answer; without it, and for other statuses, the
  // body is kept. Called from send(); what it throws leaves send().
  std::function<void(const HttpResponse& head, std::string_view data)> on_body;
  // Bytes of `file` sent so far.
  std::function<void(std::uint64_t sent)> on_sent;
  bool follow = true;  // redirects; not for a body that holds a password
  std::chrono::seconds connect_timeout{30};
};

struct HttpOptions {
  bool verify = true;  // certificates
  std::vector<std::string> ca_files;
  const std::atomic<bool>* stop = nullptr;
};

class Http {
 public:
  explicit Http(HttpOptions options);
  ~Http();

  // Every status is an answer. Throws HttpFailure where there is none,
  // Interrupted where the stop flag is set, Error for files of certificates
  // that cannot be used.
  HttpResponse send(const HttpRequest& request);

  const HttpOptions& options() const { return options_; }

 private:
  struct State;
  HttpResponse exchange(const HttpRequest& request);  // one hop

  HttpOptions options_;
  std::unique_ptr<State> state_;
};

}  // namespace cbuild::registry
