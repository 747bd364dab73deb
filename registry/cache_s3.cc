// Objects of a bucket, spoken to as S3 is (AWS Signature Version 4, which
// libcurl makes). Blobs are one PUT each, so at most 5 GB.
#include "base/text.h"
#include "registry/answer.h"
#include "registry/cache_storage.h"
#include "registry/retry.h"

namespace cbuild::registry {
namespace {

constexpr std::chrono::milliseconds kPause{500};  // before a second try

// Each part of a path percent-encoded.
std::string encoded(const std::string& path) {
  std::vector<std::string> parts;
  for (const std::string& part : split(path, '/'))
    parts.push_back(percent_encode(part));
  return join(parts, "/");
}

// Where objects are, with a path that ends in a slash.
Url bucket_url(const S3Bucket& bucket) {
  const std::string endpoint =
      bucket.endpoint.empty() ? "https://s3." + bucket.region + ".amazonaws.com"
                              : bucket.endpoint;
  auto url = Url::parse(endpoint);
  if (!url) throw UsageError("S3 cache: no such endpoint: " + bucket.endpoint);
  std::string path = url->target;
  if (!path.ends_with('/')) path += '/';
  if (bucket.path_style)
    path += encoded(bucket.name) + "/";
  else
    url->host = bucket.name + "." + url->host;
  url->target = path;
  return *url;
}

class S3Cache final : public CacheStorage {
 public:
  S3Cache(const ClientOptions& options, S3Bucket bucket)
      : bucket_(std::move(bucket)),
        url_(bucket_url(bucket_)),
        http_({!options.insecure, options.ca_files, stop_flag()}) {}

  std::string name() const override {
    return "bucket " + bucket_.name + " at " + url_.authority();
  }

  std::optional<std::string> find(const store::Digest& key) override {
    HttpResponse response = send(request("GET", record_path(key)));
    if (response.status == 404) return std::nullopt;
    return std::move(response.body);
  }

  bool has(const store::Digest& key) override {
    return send(request("HEAD", record_path(key))).ok();
  }

  void put(const store::Digest& key, const std::string& record,
           const std::vector<store::Descriptor>&) override {
    HttpRequest put = request("PUT", record_path(key), store::sha256(record));
    put.headers.push_back("Content-Type: application/octet-stream");
    put.body = record;
    expect_found(send(put));
  }

  void fetch(store::Store& store, const store::Descriptor& layer) override {
    if (store.blobs.hold(layer.digest)) return;
    std::optional<store::BlobWriter> writer;
    HttpRequest get = request("GET", blob_path(layer));
    get.on_body = [&](const HttpResponse&, std::string_view data) {
      writer->write(data);
      moved();
    };
    expect_found(send(get, [&] { writer.emplace(store.blobs.writer()); }));
    writer->commit(layer.digest);
  }

  void send(store::Store& store, const store::Descriptor& layer) override {
    if (send(request("HEAD", blob_path(layer))).ok()) return;
    const auto file = store.blobs.open(layer.digest);
    if (!file)
      throw Error("layer " + layer.digest.short_text() +
                  " is not here to send");
    HttpRequest put = request("PUT", blob_path(layer), layer.digest);
    put.headers.push_back("Content-Type: application/octet-stream");
    put.file = FileBody{file->get(), 0, layer.size};
    put.on_sent = [this](std::uint64_t) { moved(); };
    expect_found(send(put));
  }

 private:
  // `payload`: of the body. S3 wants its hash in a header; libcurl 7.88 signs
  // what is there and adds none.
  HttpRequest request(const char* method, const std::string& path,
                      const store::Digest& payload = store::sha256("")) const {
    HttpRequest request;
    request.method = method;
    request.url = url_;
    request.url.target += encoded(bucket_.prefix + path);
    request.signing = AwsSigning{"aws:amz:" + bucket_.region + ":s3",
                                 bucket_.access_key, bucket_.secret_key};
    request.headers.push_back("x-amz-content-sha256: " + payload.hex());
    if (!bucket_.session_token.empty())
      request.headers.push_back("x-amz-security-token: " +
                                bucket_.session_token);
    request.follow = false;
    return request;
  }

  // 404 is an answer. `before` is called before each try.
  template <typename Before>
  HttpResponse send(const HttpRequest& request, Before&& before) {
    return Retry(RetryPolicy{kPause, stop_flag()}).run([&] {
      before();
      HttpResponse response = http_.send(request);
      moved();
      if (!response.ok() && response.status != 404) throw_status(response);
      return response;
    });
  }
  HttpResponse send(const HttpRequest& request) {
    return send(request, [] {});
  }
  static void expect_found(const HttpResponse& response) {
    if (!response.ok()) throw_status(response);
  }

  std::string record_path(const store::Digest& key) const {
    return bucket_.manifests_prefix + bucket_.cache + "/" + key.hex();
  }
  std::string blob_path(const store::Descriptor& layer) const {
    return bucket_.blobs_prefix + layer.digest.hex();
  }

  S3Bucket bucket_;
  Url url_;
  Http http_;
};

}  // namespace

std::unique_ptr<CacheStorage> s3_cache(const ClientOptions& options,
                                       const S3Bucket& bucket) {
  return std::make_unique<S3Cache>(options, bucket);
}

}  // namespace cbuild::registry
