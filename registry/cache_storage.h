// Where step records and their layers are shared between stores: a registry, a
// directory, a bucket. What a record says is the builder's business; here it is
// a text under a key.
//
// A record is one small object, so that looking for a key is one request; a
// layer is an ordinary blob. Every member may be called by any thread. They
// throw what the transport throws; once given up, Interrupted.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "registry/client.h"
#include "store/store.h"

namespace cbuild::registry {

class CacheStorage {
 public:
  virtual ~CacheStorage() = default;

  // For messages: "registry cache.example/app:cache".
  virtual std::string name() const = 0;

  virtual std::optional<std::string> find(const store::Digest& key) = 0;
  virtual bool has(const store::Digest& key) = 0;
  // `layers` are those the record needs that no base image has; each was sent.
  virtual void put(const store::Digest& key, const std::string& record,
                   const std::vector<store::Descriptor>& layers) = 0;

  // Makes the blob be in the store; its digest is verified.
  virtual void fetch(store::Store& store, const store::Descriptor& layer) = 0;
  // Makes the blob be here, unless it is.
  virtual void send(store::Store& store, const store::Descriptor& layer) = 0;

  // Ends what is under way; nothing is asked of it any more.
  void give_up() { stopped_ = true; }
  bool given_up() const { return stopped_; }
  // When bytes last moved.
  std::chrono::steady_clock::time_point last_moved() const { return moved_; }

 protected:
  // For clients that take a stop flag.
  const std::atomic<bool>* stop_flag() const { return &stopped_; }
  void moved() { moved_ = std::chrono::steady_clock::now(); }

 private:
  std::atomic<bool> stopped_ = false;
  std::atomic<std::chrono::steady_clock::time_point> moved_{
      std::chrono::steady_clock::time_point{}};
};

// Records are manifests tagged "<tag of ref>-<key>", whose layers are those of
// the step, so that the registry keeps them. Where `ref` itself is an image with
// an inline cache (kInlineCache), its records are found too.
std::unique_ptr<CacheStorage> registry_cache(ClientOptions options,
                                             const Reference& ref);

//   <directory>/records/<tag>/<key>, <directory>/blobs/sha256/<digest>
std::unique_ptr<CacheStorage> directory_cache(const std::string& directory,
                                              const std::string& tag);

// <prefix><manifests_prefix><cache>/<key>, <prefix><blobs_prefix><digest> of a
// bucket that speaks S3.
struct S3Bucket {
  std::string name;
  std::string region;
  std::string endpoint;     // empty: Amazon's
  bool path_style = false;  // the bucket in the path and not in the host's name
  std::string access_key;
  std::string secret_key;
  std::string session_token;
  std::string prefix;
  std::string blobs_prefix = "blobs/";
  std::string manifests_prefix = "manifests/";
  std::string cache = "cbuild";
};
std::unique_ptr<CacheStorage> s3_cache(const ClientOptions& options,
                                       const S3Bucket& bucket);

// Annotation of an image's manifest: records of the steps that made it, each as
// its key, a blank, its text in base64, a line end.
inline constexpr const char* kInlineCache = "io.cbuild.cache.v1";

}  // namespace cbuild::registry
