#include "store/image.h"

#include "base/error.h"

namespace cbuild::store {

Compression compression_of(std::string_view media_type) {
  // Also the non-distributable and foreign forms of both families.
  const bool layer =
      media_type.starts_with("application/vnd.oci.image.layer.") ||
      media_type.starts_with("application/vnd.docker.image.rootfs.");
  if (layer && (media_type.ends_with("+gzip") || media_type.ends_with(".gzip")))
    return Compression::gzip;
  if (layer && (media_type.ends_with("+zstd") || media_type.ends_with(".zstd")))
    return Compression::zstd;
  if (layer && media_type.ends_with(".tar")) return Compression::none;
  throw Error("not a layer this program can read: media type \"" +
              std::string(media_type) + "\"");
}

const char* layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::none:
      return media::kOciLayer;
    case Compression::gzip:
      return media::kOciLayerGzip;
    case Compression::zstd:
      return media::kOciLayerZstd;
  }
  return "";
}

bool is_index(std::string_view media_type) {
  return media_type == media::kOciIndex || media_type == media::kDockerList;
}

bool is_manifest(std::string_view media_type) {
  return media_type == media::kOciManifest ||
         media_type == media::kDockerManifest;
}

}  // namespace cbuild::store
