#include "registry/http.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>

#include "base/dynlib.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "registry/sigpipe_guard.h"
#include "registry/tls_files.h"

namespace cbuild::registry {
namespace {

constexpr long kBufferBytes = 512 * 1024;
constexpr long kIdleSeconds = 60;
constexpr long kUploadIdleSeconds = 300;
constexpr std::size_t kMaxKeptBody = 4 << 20;  // manifests: 4 MiB, as docker
constexpr std::size_t kMaxErrorBody = 64 << 10;

struct Curl {
  DynamicLibrary library{"libcurl.so.4", "libcurl4"};
  decltype(&curl_easy_init) easy_init =
      library.function<decltype(&curl_easy_init)>("curl_easy_init");
  decltype(&curl_easy_cleanup) easy_cleanup =
      library.function<decltype(&curl_easy_cleanup)>("curl_easy_cleanup");
  decltype(&curl_easy_reset) easy_reset =
      library.function<decltype(&curl_easy_reset)>("curl_easy_reset");
  decltype(&curl_easy_perform) easy_perform =
      library.function<decltype(&curl_easy_perform)>("curl_easy_perform");
  decltype(&curl_easy_setopt) easy_setopt =
      library.function<decltype(&curl_easy_setopt)>("curl_easy_setopt");
  decltype(&curl_easy_getinfo) easy_getinfo =
      library.function<decltype(&curl_easy_getinfo)>("curl_easy_getinfo");
  decltype(&curl_easy_strerror) easy_strerror =
      library.function<decltype(&curl_easy_strerror)>("curl_easy_strerror");
  decltype(&curl_slist_append) slist_append =
      library.function<decltype(&curl_slist_append)>("curl_slist_append");
  decltype(&curl_slist_free_all) slist_free_all =
      library.function<decltype(&curl_slist_free_all)>("curl_slist_free_all");

  Curl() {
    const auto init =
        library.function<decltype(&curl_global_init)>("curl_global_init");
    if (init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw Error("libcurl cannot be initialised");
  }
};

const Curl& curl() {
  static const Curl instance;
  return instance;
}

struct EasyDeleter {
  void operator()(CURL* handle) const { curl().easy_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

// The headers of a request in libcurl's form.
class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl().slist_free_all(list_); }

  void add(const std::string& line) {
    curl_slist* longer = curl().slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What the callbacks work on. libcurl is C: an exception must not cross it, so
// it is parked here and rethrown once libcurl has returned.
struct Exchange {
  const HttpRequest& request;
  const std::atomic<bool>* stop;
  HttpResponse response;
  std::uint64_t sent = 0;
  std::exception_ptr parked;

  bool stopped() const { return stop != nullptr && stop->load(); }
};

void take_header(HttpResponse& response, std::string_view line) {
  line = trim(line);
  if (line.starts_with("HTTP/")) {
    // A 100 Continue may have come before it.
    response.headers.clear();
    const std::size_t space = std::min(line.find(' '), line.size() - 1);
    const auto status = parse_number(line.substr(space + 1, 3));
    response.status = static_cast<int>(status.value_or(0));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response.headers.push_back({to_lower(line.substr(0, colon)),
                              std::string(trim(line.substr(colon + 1)))});
}

void take_body(Exchange& exchange, std::string_view data) {
  HttpResponse& response = exchange.response;
  if (response.ok() && exchange.request.on_body) {
    exchange.request.on_body(response, data);
    return;
  }
  if (response.ok() && response.body.size() + data.size() > kMaxKeptBody)
    throw RegistryError(
        exchange.request.url.redacted() + ": the answer is longer than 4 MiB",
        response.status, "");
  const std::size_t limit = response.ok() ? kMaxKeptBody : kMaxErrorBody;
  response.body += data.substr(0, limit - response.body.size());
}

extern "C" {

static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                             void* opaque) noexcept {
  auto& exchange = *static_cast<Exchange*>(opaque);
  try {
    take_header(exchange.response, {data, size * count});
    return size * count;
  } catch (...) {
    exchange.parked = std::current_exception();
    return 0;
  }
}

static std::size_t on_write(char* data, std::size_t size, std::size_t count,
                            void* opaque) noexcept {
  auto& exchange = *static_cast<Exchange*>(opaque);
  try {
    take_body(exchange, {data, size * count});
    return size * count;
  } catch (...) {
    exchange.parked = std::current_exception();
    return 0;
  }
}

static std::size_t on_read(char* buffer, std::size_t size, std::size_t count,
                           void* opaque) noexcept {
  auto& exchange = *static_cast<Exchange*>(opaque);
  try {
    const FileBody& file = *exchange.request.file;
    const std::uint64_t want =
        std::min<std::uint64_t>(size * count, file.size - exchange.sent);
    ssize_t n = 0;
    do {
      n = ::pread(file.fd, buffer, want,
                  static_cast<off_t>(file.begin + exchange.sent));
    } while (n == -1 && errno == EINTR);
    check(n, "read", "the blob being sent");
    if (n == 0 && want != 0)
      throw Error("the blob being sent became shorter meanwhile");
    exchange.sent += static_cast<std::uint64_t>(n);
    if (exchange.request.on_sent) exchange.request.on_sent(exchange.sent);
    return static_cast<std::size_t>(n);
  } catch (...) {
    exchange.parked = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

// libcurl sends a body again where a kept connection turns out to be dead.
static int on_seek(void* opaque, curl_off_t offset, int origin) noexcept {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  static_cast<Exchange*>(opaque)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

static int on_progress(void* opaque, curl_off_t, curl_off_t, curl_off_t,
                       curl_off_t) noexcept {
  return static_cast<Exchange*>(opaque)->stopped() ? 1 : 0;
}

}  // extern "C"

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode rc = curl().easy_setopt(easy, option, value);
  if (rc != CURLE_OK)
    throw Error(std::string("libcurl: ") + curl().easy_strerror(rc));
}

void set_body(CURL* easy, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  if (request.file) {
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_INFILESIZE_LARGE,
        static_cast<curl_off_t>(request.file->size));
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
    set(easy, CURLOPT_READFUNCTION, on_read);
    set(easy, CURLOPT_READDATA, &exchange);
    set(easy, CURLOPT_SEEKFUNCTION, on_seek);
    set(easy, CURLOPT_SEEKDATA, &exchange);
  } else if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method != "HEAD")
    set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_proxy(CURL* easy, const Url& url) {
  if (is_loopback(url.host)) {
    set(easy, CURLOPT_PROXY, "");
    return;
  }
  // libcurl reads the other variables, but not this one, on account of CGI.
  const char* capital = std::getenv("HTTP_PROXY");
  if (url.scheme == "http" && capital != nullptr &&
      std::getenv("http_proxy") == nullptr)
    set(easy, CURLOPT_PROXY, capital);
}

void set_tls(CURL* easy, const TlsFiles& files, bool verify) {
  if (!verify) {
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!files.authorities.empty()) {
    curl_blob blob{const_cast<char*>(files.authorities.data()),
                   files.authorities.size(), CURL_BLOB_NOCOPY};
    set(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (const char* directory = std::getenv("SSL_CERT_DIR");
      directory != nullptr && *directory != '\0')
    set(easy, CURLOPT_CAPATH, directory);
  if (files.certificate.empty()) return;
  set(easy, CURLOPT_SSLCERT, files.certificate.c_str());
  set(easy, CURLOPT_SSLKEY, files.key.c_str());
}

void set_transfer(CURL* easy, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT,
      static_cast<long>(request.connect_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(easy, CURLOPT_LOW_SPEED_TIME,
      request.file ? kUploadIdleSeconds : kIdleSeconds);
  set(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  set(easy, CURLOPT_USERAGENT, "cbuild/0.1");
  set(easy, CURLOPT_HEADERFUNCTION, on_header);
  set(easy, CURLOPT_HEADERDATA, &exchange);
  set(easy, CURLOPT_WRITEFUNCTION, on_write);
  set(easy, CURLOPT_WRITEDATA, &exchange);
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  set(easy, CURLOPT_XFERINFODATA, &exchange);
  if (const auto& aws = request.signing) {
    set(easy, CURLOPT_AWS_SIGV4, aws->scope.c_str());
    set(easy, CURLOPT_USERNAME, aws->access_key.c_str());
    set(easy, CURLOPT_PASSWORD, aws->secret_key.c_str());
  }
}

Fault fault_of(CURLcode code, std::string_view detail) {
  const auto says = [&](std::string_view words) {
    return detail.find(words) != std::string_view::npos;
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Fault::unknown_host;
    case CURLE_COULDNT_CONNECT:
      return Fault::refused;
    case CURLE_OPERATION_TIMEDOUT:
      return Fault::timed_out;
    case CURLE_PEER_FAILED_VERIFICATION:
      return Fault::untrusted;
    case CURLE_SSL_CONNECT_ERROR:
      return says("wrong version number") || says("packet length too long")
                 ? Fault::not_tls
                 : Fault::tls;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return Fault::tls;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      // A server that refuses our certificate says so after the handshake.
      return says(" alert ") ? Fault::tls : Fault::broken;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return Fault::broken;
    default:
      return Fault::other;
  }
}

}  // namespace

struct Http::State {
  std::mutex mutex;
  std::vector<Easy> idle;
  std::map<std::string, TlsFiles> files;  // by host:port; entries never change

  Easy take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Easy easy = std::move(idle.back());
        idle.pop_back();
        return easy;
      }
    }
    Easy easy(curl().easy_init());
    if (!easy) throw Error("libcurl cannot be initialised");
    return easy;
  }

  void give_back(Easy easy) {
    curl().easy_reset(easy.get());  // keeps its connections
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(easy));
  }

  const TlsFiles& files_for(const Url& url,
                            const std::vector<std::string>& ca_files) {
    const std::lock_guard lock(mutex);
    const auto found = files.find(url.authority());
    if (found != files.end()) return found->second;
    return files
        .emplace(url.authority(), load_tls_files(url.authority(), ca_files))
        .first->second;
  }
};

Http::Http(HttpOptions options)
    : options_(std::move(options)), state_(std::make_unique<State>()) {}

Http::~Http() = default;

HttpResponse Http::exchange(const HttpRequest& request) {
  Exchange exchange{request, options_.stop, {}, 0, {}};
  exchange.response.url = request.url;
  if (exchange.stopped()) throw Interrupted();
  HeaderList headers;
  for (const std::string& line : request.headers) headers.add(line);
  if (!request.authorization.empty())
    headers.add("Authorization: " + request.authorization);

  Easy easy = state_->take();
  char detail[CURL_ERROR_SIZE] = "";
  const std::string url = request.url.text();
  set(easy.get(), CURLOPT_ERRORBUFFER, detail);
  set(easy.get(), CURLOPT_URL, url.c_str());
  set(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  set_transfer(easy.get(), exchange);
  set_proxy(easy.get(), request.url);
  if (request.url.scheme == "https")
    set_tls(easy.get(), state_->files_for(request.url, options_.ca_files),
            options_.verify);
  set_body(easy.get(), exchange);

  CURLcode rc = CURLE_OK;
  long os_error = 0;
  {
    const SigpipeGuard guard;
    rc = curl().easy_perform(easy.get());
  }
  curl().easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &os_error);
  const std::string reason =
      detail[0] != '\0' ? detail : curl().easy_strerror(rc);
  // After a failure libcurl may still hold on to buffers of the transfer.
  if (rc == CURLE_OK) state_->give_back(std::move(easy));
  if (exchange.parked) std::rethrow_exception(exchange.parked);
  if (exchange.stopped()) throw Interrupted();
  if (rc == CURLE_OK) return std::move(exchange.response);
  const Fault fault = fault_of(rc, reason);
  throw HttpFailure(
      explain_fault(fault, request.url, reason, static_cast<int>(os_error)),
      fault);
}

}  // namespace cbuild::registry
