// Images made by hand, for tests.
#pragma once

#include <string>
#include <vector>

#include "scratch.h"
#include "store/tar.h"

namespace cbuild::store {

inline Descriptor descriptor(const char* media_type, const Digest& digest,
                             std::uint64_t size) {
  return {.media_type = media_type,
          .digest = digest,
          .size = size,
          .platform = {},
          .annotations = {},
          .urls = {}};
}

// A tar of one file.
inline std::string tar_of(const std::string& path, const std::string& content) {
  std::string bytes;
  TarWriter tar([&](std::string_view data) { bytes += data; });
  IndexEntry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.size = content.size();
  tar.add(entry);
  tar.write(content);
  tar.finish();
  return bytes;
}

// A layer that a step made, of one file.
inline LayerId step_layer(Store& store, const std::string& path,
                          const std::string& content) {
  TempDir dir = store.temp_dir("step-");
  write_file(dir.path() + "/" + path, content);
  const Fd fd = open_path(dir.path(), O_RDONLY | O_DIRECTORY);
  const LayerId id = store.layers.adopt(
      dir.path(), entries_of(scan_tree(fd.get(), {}, 1)));
  dir.keep();
  return id;
}

// An image of the layers, with their tarballs.
inline Descriptor make_image(Store& store, const std::vector<LayerId>& layers,
                             const char* platform = "linux/amd64") {
  ImageConfig config;
  config.platform = parse_platform(platform);
  config.config.env = {"A=b"};
  std::vector<Descriptor> descriptors;
  for (const LayerId& id : layers) {
    const LayerBlob blob = store.layers.tarball(id, {});
    config.diff_ids.push_back(blob.diff_id);
    config.history.push_back({"", "RUN " + id, "", "", false});
    descriptors.push_back(descriptor(blob.compression == Compression::none
                                         ? media::kOciLayer
                                         : media::kOciLayerGzip,
                                     blob.digest, blob.size));
  }
  config.history.push_back({"", "ENV A=b", "", "", true});
  const std::string text = to_json(config);
  const Manifest manifest{
      .media_type = media::kOciManifest,
      .config =
          descriptor(media::kOciConfig, store.blobs.put(text), text.size()),
      .layers = std::move(descriptors),
      .annotations = {}};
  const std::string json = to_json(manifest);
  Descriptor image =
      descriptor(media::kOciManifest, store.blobs.put(json), json.size());
  image.platform = config.platform;
  return image;
}

}  // namespace cbuild::store
