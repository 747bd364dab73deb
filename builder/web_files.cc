#include "builder/web_files.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>

#include "base/dir.h"
#include "base/text.h"
#include "builder/secret.h"
#include "registry/url.h"

namespace cbuild::builder {
namespace {

constexpr const char* kHeaderSecret = "HTTP_AUTH_HEADER_";
constexpr const char* kTokenSecret = "HTTP_AUTH_TOKEN_";

// "user:password" of https://user:password@host/, or empty.
std::string user_information(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at == std::string::npos || at < begin) return "";
  return registry::percent_decode(url.substr(begin, at - begin));
}

std::string host_name(const std::string& url) {
  const auto parsed = registry::Url::parse(url);
  if (!parsed) throw registry::RegistryError("no such URL: " + url, 0, "");
  return std::string(trim(parsed->host, "[]"));
}

// Weak and strong are one: the bytes are compared by their digest anyway.
std::string_view tag_value(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

std::string redacted(const std::string& url) {
  const auto parsed = registry::Url::parse(url);
  return parsed ? parsed->redacted() : url;
}

// Passes on what changes all the time as often as a reader can follow.
class Pace {
 public:
  explicit Pace(const FetchProgress& tell) : tell_(tell) {
    if (tell_) tell_(0, 0);
  }
  void tell(std::uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (!tell_ || done == 0 || now - last_ < std::chrono::milliseconds(100))
      return;
    last_ = now;
    tell_(done, 0);
  }
  void finish(std::uint64_t size) const {
    if (tell_) tell_(size, size);
  }

 private:
  const FetchProgress& tell_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

std::string web_file_name(const std::string& url) {
  const auto parsed = registry::Url::parse(url);
  if (!parsed) return "__unnamed__";
  const std::string& target = parsed->target;
  const std::string path =
      clean_path(registry::percent_decode(target.substr(0, target.find('?'))));
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == ".") return "__unnamed__";
  const bool unsafe = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  return unsafe || name == ".." ? "download" : name;
}

std::string WebFiles::identity(const WebFile& file, const FetchProgress& tell) {
  const std::string text = "http " + file.name + " 0600 ";
  if (file.checksum) return text + file.checksum->text();
  const WebCopy copy = resolve(file, tell);
  const auto time = copy.time();
  return text + copy.digest.text() + (time ? " " + std::to_string(*time) : "");
}

WebFiles::Fetched WebFiles::fetch(const WebFile& file,
                                  const FetchProgress& tell) {
  std::optional<WebCopy> copy;
  if (file.checksum) copy = store_.find(file.url, file.name);
  if (!copy || copy->digest != *file.checksum) copy = resolve(file, tell);
  if (file.checksum && copy->digest != *file.checksum)
    throw registry::RegistryError(
        "digest mismatch for " + redacted(file.url) + ": " +
            copy->digest.text() + " (expected: " + file.checksum->text() + ")",
        0, "");
  return {store_.directory(file.name, *copy), copy->time()};
}

WebCopy WebFiles::resolve(const WebFile& file, const FetchProgress& tell) {
  std::shared_ptr<Slot> slot;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Slot>& found = slots_[file.url + "\n" + file.name];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
  }
  const std::lock_guard lock(slot->mutex);
  if (!slot->copy) slot->copy = ask(file, tell);
  return *slot->copy;
}

WebCopy WebFiles::ask(const WebFile& file, const FetchProgress& tell) {
  std::optional<WebCopy> known = store_.find(file.url, file.name);
  if (known && unchanged(file, *known)) return *known;
  return download(file, known, tell);
}

// Some servers give an ETag but mind no If-None-Match: HEAD and a comparison
// here save fetching the file again.
bool WebFiles::unchanged(const WebFile& file, const WebCopy& known) {
  if (known.etag.empty()) return false;
  registry::WebRequest request;
  request.etag = known.etag;
  request.head = true;
  const registry::WebAnswer answer = get(file, request, {});
  if (answer.status == 304 && answer.etag.empty()) return true;
  return (answer.status == 200 || answer.status == 304) &&
         tag_value(answer.etag) == tag_value(known.etag);
}

WebCopy WebFiles::download(const WebFile& file,
                           const std::optional<WebCopy>& known,
                           const FetchProgress& tell) {
  const TempDir staged = environment_.store.temp_dir("web-");
  const std::string path = staged.path() + "/" + file.name;
  Fd out = open_path(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  store::Hasher hasher;
  WebCopy found{store::sha256({})};
  registry::WebRequest request;
  Pace pace(tell);
  if (known) request.etag = known->etag;
  if (known) request.last_modified = known->last_modified;
  const registry::WebAnswer answer =
      get(file, request, [&](std::uint64_t offset, std::string_view data) {
        if (offset == 0) {
          hasher = store::Hasher();
          check(::ftruncate(out.get(), 0), "ftruncate", file.name);
          check(::lseek(out.get(), 0, SEEK_SET), "seek in", file.name);
        }
        hasher.update(data);
        write_all(out.get(), data, file.name);
        found.size = offset + data.size();
        pace.tell(found.size);
      });
  if (answer.status == 304 && known) return *known;
  if (!answer.ok())
    throw registry::RegistryError(redacted(file.url) +
                                      ": invalid response status " +
                                      std::to_string(answer.status),
                                  answer.status, "");
  pace.finish(found.size);
  found.digest = hasher.finish();
  found.etag = answer.etag;
  found.last_modified = answer.last_modified;
  store_.put(file.url, file.name, found, staged.path(), std::move(out));
  return found;
}

registry::WebAnswer WebFiles::get(const WebFile& file,
                                  registry::WebRequest request,
                                  const registry::WebSink& sink) {
  request.url = file.url;
  request.authorization = authorization(file);
  try {
    return environment_.web.get(request, sink);
  } catch (const registry::CredentialsError& e) {
    const std::string host = host_name(file.url);
    throw registry::CredentialsError(
        std::string(e.what()) +
        (request.authorization.empty()
             ? "; a secret with the id " + (kTokenSecret + host) + " or " +
                   kHeaderSecret + host + " is sent along"
             : "; what was sent along was refused"));
  }
}

std::string WebFiles::authorization(const WebFile& file) const {
  const std::string host = host_name(file.url);
  // The token goes before the header, as in BuildKit.
  if (const auto token = read_line_secret(request_, kTokenSecret + host))
    return "Bearer " + *token;
  if (const auto header = read_line_secret(request_, kHeaderSecret + host))
    return *header;
  const std::string user = user_information(file.url);
  return user.empty() ? "" : "Basic " + base64_encode(user);
}

}  // namespace cbuild::builder
