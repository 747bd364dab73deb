#include <nlohmann/json.hpp>

#include "base/text.h"
#include "registry/answer.h"
#include "registry/client_state.h"

// From a reference to the image of one platform: its manifest, through the
// index if there is one, and its config; both verified and stored.

namespace cbuild::registry {
namespace {

using store::Descriptor;
using store::Digest;
namespace media = store::media;

constexpr int kMaxIndexDepth = 4;

struct Document {
  std::string media_type;
  std::string body;
  Digest digest;
};

std::string accept_header() {
  return "Accept: " + join({media::kOciIndex, media::kDockerList,
                            media::kOciManifest, media::kDockerManifest},
                           ", ");
}

std::string text_member(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

// The document's own word goes before the header's, which proxies change; old
// OCI documents say nothing, and their shape tells.
std::string media_type_of(const std::string& body, std::string_view header) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) throw Error("its manifest is not a JSON object");
  const auto version = json.find("schemaVersion");
  if (version != json.end() && *version == 1)
    throw Error(
        "it is in the Docker image format of before 2016 (manifest version 2, "
        "schema 1), which is not supported: pull it with docker 25 or skopeo "
        "and push it again");
  std::string type = text_member(json, "mediaType");
  if (type.empty()) type = trim(header.substr(0, header.find(';')));
  if (store::is_index(type) || store::is_manifest(type)) return type;
  if (json.contains("manifests")) return media::kOciIndex;
  if (json.contains("config") && json.contains("layers"))
    return media::kOciManifest;
  throw Error("it is not an image: media type \"" + type + "\"");
}

Document get_manifest(Session& session, const Reference& from,
                      const std::string& name,
                      const std::optional<Digest>& expected) {
  Call call;
  call.target = v2_target(from.path(), "manifests/" + name);
  call.scopes = pull_scope(from.path());
  call.headers = {accept_header()};
  call.answers = {404};
  HttpResponse response = session.send(call);
  if (response.status == 404)
    throw RegistryError("not found: " + describe(response), 404,
                        words_of(response).code);
  const Digest digest = store::sha256(response.body);
  if (expected && digest != *expected)
    throw store::DigestMismatch(*expected, digest);
  const auto claimed =
      Digest::try_parse(response.header("docker-content-digest"));
  if (claimed && digest != *claimed)
    throw store::DigestMismatch(*claimed, digest);
  std::string type =
      media_type_of(response.body, response.header("content-type"));
  return {std::move(type), std::move(response.body), digest};
}

// By digest, from the store if it is there.
Document find_manifest(Session& session, store::Store& store,
                       const Reference& from, const Digest& digest) {
  std::optional<std::string> body = store.blobs.read(digest);
  if (!body) return get_manifest(session, from, digest.text(), digest);
  std::string type = media_type_of(*body, "");
  return {std::move(type), std::move(*body), digest};
}

// Attestations and the like stand in an index beside the images.
bool is_image(const Descriptor& entry) {
  return (store::is_manifest(entry.media_type) ||
          store::is_index(entry.media_type)) &&
         !entry.annotations.contains("vnd.docker.reference.type") &&
         !(entry.platform && entry.platform->os == "unknown");
}

const Descriptor& choose(const store::Index& index,
                         const store::Platform& wanted) {
  std::vector<const Descriptor*> entries;
  std::vector<store::Platform> platforms;
  std::vector<std::string> names;
  const Descriptor* unnamed = nullptr;
  for (const Descriptor& entry : index.manifests) {
    if (!is_image(entry)) continue;
    if (!entry.platform) {
      if (unnamed == nullptr) unnamed = &entry;
      continue;
    }
    entries.push_back(&entry);
    platforms.push_back(*entry.platform);
    names.push_back(entry.platform->text());
  }
  const int best = store::best_match(platforms, wanted);
  if (best >= 0) return *entries[static_cast<std::size_t>(best)];
  // The platform of an entry is optional: only its config can tell then.
  if (unnamed != nullptr) return *unnamed;
  throw Error("no image for platform " + wanted.text() + "; there is " +
              (names.empty() ? "none at all" : join(names, ", ")));
}

Document follow_indexes(Session& session, store::Store& store,
                        const Reference& from, Document document,
                        const store::Platform& platform) {
  for (int depth = 0; store::is_index(document.media_type); ++depth) {
    if (depth == kMaxIndexDepth)
      throw Error("its index leads to more than " +
                  std::to_string(kMaxIndexDepth) + " others");
    const store::Index index = store::parse_index(document.body);
    document =
        find_manifest(session, store, from, choose(index, platform).digest);
  }
  return document;
}

void check_config_type(const Descriptor& config) {
  if (config.media_type == media::kOciConfig ||
      config.media_type == media::kDockerConfig ||
      config.media_type == "application/octet-stream")
    return;
  throw Error("it is not an image but holds \"" + config.media_type + "\"");
}

void record_layers(store::Store& store, const store::Image& image) {
  const std::vector<Descriptor>& layers = image.manifest.layers;
  const std::vector<Digest>& diff_ids = image.config.diff_ids;
  if (layers.size() != diff_ids.size())
    throw Error("its manifest has " + std::to_string(layers.size()) +
                " layers and its config " + std::to_string(diff_ids.size()));
  for (std::size_t i = 0; i < layers.size(); ++i)
    store.layers.add_blob(diff_ids[i], layers[i].digest, layers[i].size,
                          store::compression_of(layers[i].media_type));
}

store::Image resolve_image(Session& session, store::Store& store,
                           const Reference& from,
                           const store::Platform& platform,
                           const TransferSink& progress) {
  if (!from.other_digest().empty())
    throw Error("only sha256 digests are supported");
  Document document = from.digest()
                          ? find_manifest(session, store, from, *from.digest())
                          : get_manifest(session, from, *from.tag(), {});
  document =
      follow_indexes(session, store, from, std::move(document), platform);

  store::Image image{{.media_type = document.media_type,
                      .digest = document.digest,
                      .size = document.body.size()},
                     store::parse_manifest(document.body),
                     {}};
  check_config_type(image.manifest.config);
  fetch_blob(session, from, store, image.manifest.config, "config", progress);
  const auto config = store.blobs.read(image.manifest.config.digest);
  if (!config) throw Error("its config was removed meanwhile");
  image.config = store::parse_image_config(*config);
  record_layers(store, image);
  // Last: whoever finds the manifest in the store finds all it names.
  store.blobs.put(document.body, document.digest);
  image.descriptor.platform = image.config.platform;
  image.descriptor.annotations[kSourceAnnotation] = from.name();
  return image;
}

}  // namespace

store::Image Client::resolve(store::Store& store, const Reference& reference,
                             const store::Platform& platform,
                             const TransferSink& progress) {
  const Reference from = reference.with_default_tag();
  return in_context(from.familiar(), [&] {
    store::Image image = resolve_image(state_->session(from.domain()), store,
                                       from, platform, progress);
    for (const Descriptor& layer : image.manifest.layers)
      if (!is_foreign(layer)) state_->has_blob(from, layer.digest);
    state_->has_blob(from, image.manifest.config.digest);
    return image;
  });
}

}  // namespace cbuild::registry
