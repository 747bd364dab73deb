#include "store/layer_meta.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/dir.h"
#include "store/json.h"

namespace cbuild::store {
namespace {

constexpr std::array<std::pair<Compression, const char*>, 3> kNames = {
    {{Compression::none, "none"},
     {Compression::gzip, "gzip"},
     {Compression::zstd, "zstd"}}};

const char* name_of(Compression compression) {
  return kNames[static_cast<std::size_t>(compression)].second;
}

Compression compression_named(const std::string& name) {
  for (const auto& [compression, known] : kNames)
    if (name == known) return compression;
  throw Error("unknown compression " + name);
}

LayerMeta meta_from(const Json& json) {
  LayerMeta meta;
  meta.tree = Birth::parse(text_at(json, "tree"));
  if (!member(json, "diffID")) return meta;
  meta.diff_id = Digest::parse(text_at(json, "diffID"));
  if (const Json* blobs = member(json, "blobs"))
    for (const Json& blob : *blobs)
      meta.blobs.push_back(
          {.diff_id = *meta.diff_id,
           .digest = Digest::parse(text_at(blob, "digest")),
           .size = static_cast<std::uint64_t>(number_at(blob, "size")),
           .compression = compression_named(text_at(blob, "compression"))});
  meta.implied = texts_at(json, "implied");
  return meta;
}

}  // namespace

void LayerMeta::add(const LayerBlob& blob) {
  diff_id = blob.diff_id;
  std::erase_if(blobs, [&](const LayerBlob& known) {
    return known.digest == blob.digest;
  });
  blobs.push_back(blob);
}

LayerMeta read_meta(const std::string& directory) {
  const std::optional<std::string> text = read_file(directory + "/meta");
  if (!text) return {};
  try {
    return meta_from(parse_object(*text, directory + "/meta"));
  } catch (const Error&) {
    return {};
  }
}

void write_meta(const std::string& directory, const LayerMeta& meta,
                Staging& staging) {
  Json json = Json::object();
  if (meta.diff_id) json["diffID"] = meta.diff_id->text();
  for (const LayerBlob& blob : meta.blobs)
    json["blobs"].push_back({{"digest", blob.digest.text()},
                             {"size", blob.size},
                             {"compression", name_of(blob.compression)}});
  if (!meta.implied.empty()) json["implied"] = meta.implied;
  if (meta.tree) json["tree"] = meta.tree->text();
  staging.replace(directory + "/meta", dump(json));
}

}  // namespace cbuild::store
