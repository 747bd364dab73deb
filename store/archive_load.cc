#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "store/archive.h"
#include "store/archive_members.h"
#include "store/compress.h"
#include "store/index_json.h"
#include "store/json.h"

// An archive is read once, from front to back: it may be a pipe. Members are
// staged as blobs that are not published; once the documents among them are
// known and every digest has been checked, what they name is published. An
// error before that leaves nothing.

namespace cbuild::store {
namespace {

constexpr const char* kContainerdName = "io.containerd.image.name";

// What an image needs to be published.
struct Plan {
  std::vector<std::string> names;
  Descriptor manifest;
  // A document that is made here, not found in the archive.
  std::optional<std::string> manifest_text;
  std::set<Digest> blobs;  // found in the archive
  std::vector<LayerBlob> layers;
};

std::string pretty(const Descriptor& descriptor) {
  return descriptor.digest.short_text();
}

const char* media_type_of(Compression compression) {
  switch (compression) {
    case Compression::none:
      return media::kOciLayer;
    case Compression::zstd:
      return media::kOciLayerZstd;
    case Compression::gzip:
      break;
  }
  return media::kOciLayerGzip;
}

class Loader {
 public:
  Loader(Store& store, Members& members) : store_(store), members_(members) {}

  std::vector<Plan> plan();
  void publish(const Plan& plan);

 private:
  std::vector<Plan> plan_docker(const std::string& manifest_json);
  std::vector<Plan> plan_oci(const std::string& index_json);
  Plan docker_image(const Json& entry);
  const Member& docker_config(const std::string& name) const;
  void add_image(const Descriptor& manifest, Plan& plan);
  void add_index(const Descriptor& index, Plan& plan);
  void add_layers(const Manifest& manifest, const ImageConfig& config,
                  Plan& plan);
  std::string document(const Descriptor& descriptor, Plan& plan);
  bool have(const Digest& digest) const;

  Store& store_;
  Members& members_;
};

bool Loader::have(const Digest& digest) const {
  return members_.blob(digest) != nullptr || store_.blobs.hold(digest);
}

// The bytes of a descriptor's blob, from the archive or the store.
std::string Loader::document(const Descriptor& descriptor, Plan& plan) {
  if (const Member* member = members_.blob(descriptor.digest)) {
    plan.blobs.insert(descriptor.digest);
    return members_.text(*member);
  }
  store_.blobs.hold(descriptor.digest);
  if (auto stored = store_.blobs.read(descriptor.digest))
    return std::move(*stored);
  throw Error("the archive lacks " + descriptor.digest.text());
}

// Each layer must be in the archive or in the store, and unpack to the diffID
// that the config promises.
void Loader::add_layers(const Manifest& manifest, const ImageConfig& config,
                        Plan& plan) {
  if (manifest.layers.size() != config.diff_ids.size())
    throw Error("the image has " + std::to_string(manifest.layers.size()) +
                " layers and " + std::to_string(config.diff_ids.size()) +
                " diffIDs");
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    const Digest& diff_id = config.diff_ids[i];
    const Member* member = members_.blob(layer.digest);
    if (member == nullptr && !store_.blobs.hold(layer.digest))
      throw Error("the archive lacks the layer " + layer.digest.text());
    if (member != nullptr) {
      const Digest got = members_.diff_id(*member);
      if (got != diff_id) throw DigestMismatch(diff_id, got);
      plan.blobs.insert(layer.digest);
    }
    const Compression compression = member != nullptr
                                        ? member->compression
                                        : compression_of(layer.media_type);
    plan.layers.push_back({diff_id, layer.digest, layer.size, compression});
  }
}

void Loader::add_image(const Descriptor& descriptor, Plan& plan) {
  in_context("image " + pretty(descriptor), [&] {
    const Manifest manifest = parse_manifest(document(descriptor, plan));
    const ImageConfig config =
        parse_image_config(document(manifest.config, plan));
    add_layers(manifest, config, plan);
  });
}

// An index whose images are all here is kept as it is. Often (docker save on
// one platform) only some are: then it is the best of those.
void Loader::add_index(const Descriptor& descriptor, Plan& plan) {
  const Index index = parse_index(document(descriptor, plan));
  std::vector<Descriptor> present;
  std::vector<Platform> platforms;
  bool complete = true;
  for (const Descriptor& entry : index.manifests) {
    const bool here = have(entry.digest);
    const bool real = !entry.platform || entry.platform->os != "unknown";
    complete = complete && (here || !real);
    if (!here || !real || is_index(entry.media_type)) continue;
    present.push_back(entry);
    platforms.push_back(entry.platform.value_or(host_platform()));
  }
  if (present.empty())
    throw Error("the archive has none of the images of " + pretty(descriptor));
  if (complete) {
    for (const Descriptor& entry : present) add_image(entry, plan);
    return;
  }
  const int best = best_match(platforms, host_platform());
  plan.blobs.erase(descriptor.digest);
  plan.manifest = present[best < 0 ? 0 : static_cast<std::size_t>(best)];
  add_image(plan.manifest, plan);
}

std::vector<std::string> names_of(const Descriptor& entry) {
  for (const char* key : {kContainerdName, kRefName}) {
    const auto found = entry.annotations.find(key);
    if (found != entry.annotations.end() && !found->second.empty())
      return {found->second};
  }
  return {};
}

std::vector<Plan> Loader::plan_oci(const std::string& index_json) {
  std::vector<Plan> plans;
  for (const Descriptor& entry : parse_index(index_json).manifests) {
    if (!have(entry.digest)) continue;
    Descriptor bare = entry;
    bare.annotations.clear();
    Plan plan{names_of(entry), bare, {}, {}, {}};
    if (is_index(entry.media_type))
      add_index(bare, plan);
    else
      add_image(bare, plan);
    plans.push_back(std::move(plan));
  }
  return plans;
}

// The config's name is its digest, in docker's old archives with ".json"
// behind.
const Member& Loader::docker_config(const std::string& name) const {
  const Member& config = members_.named(name);
  const auto promised =
      Digest::try_parse("sha256:" + name.substr(0, name.find('.')));
  if (promised && *promised != config.digest)
    throw DigestMismatch(*promised, config.digest);
  return config;
}

Plan Loader::docker_image(const Json& entry) {
  const Member& config_member = docker_config(text_at(entry, "Config"));
  const std::string config_text = members_.text(config_member);
  const ImageConfig config = parse_image_config(config_text);
  Manifest manifest{.media_type = media::kOciManifest,
                    .config = {.media_type = media::kOciConfig,
                               .digest = config_member.digest,
                               .size = config_member.size,
                               .platform = {},
                               .annotations = {},
                               .urls = {}},
                    .layers = {},
                    .annotations = {}};
  for (const std::string& name : texts_at(entry, "Layers")) {
    const Member& layer = members_.named(name);
    manifest.layers.push_back({.media_type = media_type_of(layer.compression),
                               .digest = layer.digest,
                               .size = layer.size,
                               .platform = {},
                               .annotations = {},
                               .urls = {}});
  }
  std::string text = to_json(manifest);
  Plan plan{.names = texts_at(entry, "RepoTags"),
            .manifest = {.media_type = media::kOciManifest,
                         .digest = sha256(text),
                         .size = text.size(),
                         .platform = config.platform,
                         .annotations = {},
                         .urls = {}},
            .manifest_text = std::move(text),
            .blobs = {config_member.digest},
            .layers = {}};
  add_layers(manifest, config, plan);
  return plan;
}

std::vector<Plan> Loader::plan_docker(const std::string& manifest_json) {
  const Json list = Json::parse(manifest_json, nullptr, false);
  if (!list.is_array()) throw Error("manifest.json is not a list");
  std::vector<Plan> plans;
  for (const Json& entry : list) {
    if (!entry.is_object()) throw Error("manifest.json: not an image");
    plans.push_back(docker_image(entry));
  }
  return plans;
}

// Archives of docker 25 and later are both. The OCI form has the manifests as
// they were; should only manifest.json have names, it is taken.
std::vector<Plan> Loader::plan() {
  const Member* index = members_.find("index.json");
  const Member* manifest = members_.find("manifest.json");
  if (index != nullptr) {
    std::vector<Plan> plans = plan_oci(members_.text(*index));
    const bool named =
        std::any_of(plans.begin(), plans.end(),
                    [](const Plan& p) { return !p.names.empty(); });
    if (manifest == nullptr || named) return plans;
  }
  if (manifest != nullptr) return plan_docker(members_.text(*manifest));
  throw Error(
      "not an image archive: it has neither manifest.json (docker save) nor "
      "index.json (OCI layout)");
}

void Loader::publish(const Plan& plan) {
  for (const Digest& digest : plan.blobs) members_.publish(digest);
  for (const LayerBlob& layer : plan.layers)
    store_.layers.add_blob(layer.diff_id, layer.digest, layer.size,
                           layer.compression);
  if (plan.manifest_text)
    store_.blobs.put(*plan.manifest_text, plan.manifest.digest);
}

}  // namespace

std::vector<LoadedImage> load_archive(
    Store& store, int fd,
    const std::function<ImageStore::Name(const std::string&)>& normalize) {
  Members members(store.blobs);
  members.read(file_source(fd, "archive"));
  Loader loader(store, members);
  const std::vector<Plan> plans = loader.plan();
  std::vector<LoadedImage> images;
  for (const Plan& plan : plans) {
    LoadedImage image{{}, plan.manifest};
    for (const std::string& name : plan.names)
      image.names.push_back(normalize(name));
    images.push_back(std::move(image));
  }
  // From here on nothing is checked any more.
  for (const Plan& plan : plans) loader.publish(plan);
  return images;
}

}  // namespace cbuild::store
