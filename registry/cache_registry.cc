#include <mutex>

#include "base/text.h"
#include "registry/cache_storage.h"
#include "store/image.h"

namespace cbuild::registry {
namespace {

constexpr const char* kRecord = "io.cbuild.step.v1";  // annotation
constexpr const char* kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr std::string_view kEmpty = "{}";
constexpr std::size_t kLongestTag = 128;

class RegistryCache final : public CacheStorage {
 public:
  RegistryCache(ClientOptions options, const Reference& ref)
      : ref_(ref.with_default_tag()),
        client_(with_stop(std::move(options), stop_flag())),
        sink_([this](const TransferProgress&) { moved(); }) {}

  std::string name() const override { return "registry " + ref_.familiar(); }

  std::optional<std::string> find(const store::Digest& key) override {
    if (const auto* records = inline_records()) {
      const auto found = records->find(key.hex());
      if (found == records->end()) return std::nullopt;
      return found->second;
    }
    const auto text = client_.find_manifest(record_ref(key));
    moved();
    if (!text) return std::nullopt;
    const store::Manifest manifest = store::parse_manifest(*text);
    const auto record = manifest.annotations.find(kRecord);
    if (record == manifest.annotations.end()) return std::nullopt;
    return base64_decode(record->second);
  }

  bool has(const store::Digest& key) override {
    const bool there = client_.find_manifest(record_ref(key)).has_value();
    moved();
    return there;
  }

  void put(const store::Digest& key, const std::string& record,
           const std::vector<store::Descriptor>& layers) override {
    send_config();
    store::Manifest manifest{.media_type = store::media::kOciManifest,
                             .config = {.media_type = kEmptyType,
                                        .digest = store::sha256(kEmpty),
                                        .size = kEmpty.size()}};
    manifest.layers = layers;
    manifest.annotations[kRecord] = base64_encode(record);
    client_.put_manifest(record_ref(key), manifest.media_type,
                         store::to_json(manifest));
    moved();
  }

  void fetch(store::Store& store, const store::Descriptor& layer) override {
    client_.fetch_blob(store, ref_, layer, sink_);
  }

  void send(store::Store& store, const store::Descriptor& layer) override {
    client_.push_blob(store, ref_, layer, sink_);
  }

 private:
  using Records = std::map<std::string, std::string>;

  static ClientOptions with_stop(ClientOptions options,
                                 const std::atomic<bool>* stop) {
    options.stop = stop;
    return options;
  }

  Reference record_ref(const store::Digest& key) const {
    std::string tag = ref_.tag().value_or("latest") + "-" + key.hex();
    // A long tag gives way to its hash.
    if (tag.size() > kLongestTag) tag = store::sha256(tag).hex();
    return Reference::parse(ref_.name() + ":" + tag);
  }

  // Every record's config. Not with std::call_once, which exceptions must not
  // leave where libgcc is linked statically.
  void send_config() {
    const std::lock_guard lock(mutex_);
    if (config_sent_) return;
    client_.push_text(ref_, kEmpty);
    config_sent_ = true;
  }

  // nullptr where the reference is no image with an inline cache.
  const Records* inline_records() {
    const std::lock_guard lock(mutex_);
    if (!looked_) {
      const auto text = client_.find_manifest(ref_);
      moved();
      looked_ = true;
      if (text) read_inline(store::parse_manifest(*text));
    }
    return inline_ ? &*inline_ : nullptr;
  }

  void read_inline(const store::Manifest& manifest) {
    const auto found = manifest.annotations.find(kInlineCache);
    if (found == manifest.annotations.end()) return;
    inline_.emplace();
    for (const std::string& line : split(found->second, '\n')) {
      const std::size_t blank = line.find(' ');
      if (blank == std::string::npos) continue;
      if (auto record = base64_decode(line.substr(blank + 1)))
        inline_->emplace(line.substr(0, blank), std::move(*record));
    }
  }

  Reference ref_;
  Client client_;
  TransferSink sink_;
  std::mutex mutex_;  // guards all below
  bool config_sent_ = false;
  bool looked_ = false;
  std::optional<Records> inline_;
};

}  // namespace

std::unique_ptr<CacheStorage> registry_cache(ClientOptions options,
                                             const Reference& ref) {
  return std::make_unique<RegistryCache>(std::move(options), ref);
}

}  // namespace cbuild::registry
