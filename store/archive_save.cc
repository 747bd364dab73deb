#include <map>
#include <set>

#include "base/error.h"
#include "store/archive.h"
#include "store/index_json.h"
#include "store/json.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

constexpr const char* kContainerdName = "io.containerd.image.name";

// The tag of a familiar name: what docker and BuildKit put in ref.name.
std::string tag_of(const std::string& full) {
  return full.substr(full.rfind(':') + 1);
}

class Saver {
 public:
  Saver(Store& store, int fd)
      : store_(store),
        tar_([fd](std::string_view data) { write_all(fd, data, "archive"); }) {}

  // Blobs first, each once; documents that name them last.
  void save(const std::vector<SavedImage>& images, ArchiveFormat format);

 private:
  void add_text(const std::string& name, const std::string& text);
  void add_blob(const Descriptor& descriptor, const char* what);

  Store& store_;
  TarWriter tar_;
  std::set<Digest> written_;
};

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

IndexEntry file_entry(const std::string& name, std::uint64_t size) {
  IndexEntry entry;
  entry.path = name;
  entry.mode = 0644;
  entry.size = size;
  return entry;
}

void Saver::add_text(const std::string& name, const std::string& text) {
  tar_.add(file_entry(name, text.size()));
  tar_.write(text);
}

void Saver::add_blob(const Descriptor& descriptor, const char* what) {
  if (!written_.insert(descriptor.digest).second) return;
  const std::optional<Fd> blob = store_.blobs.open(descriptor.digest);
  if (!blob)
    throw Error(std::string(what) + " " + descriptor.digest.text() +
                " is not in the store: pull the image again");
  tar_.add(file_entry(blob_name(descriptor.digest), descriptor.size));
  std::string buffer(kStreamBuffer, '\0');
  Hasher hasher;
  std::uint64_t size = 0;
  while (const std::size_t n =
             read_some(blob->get(), buffer.data(), buffer.size(), what)) {
    size += n;
    const std::string_view data = std::string_view(buffer).substr(0, n);
    hasher.update(data);
    if (size <= descriptor.size) tar_.write(data);
  }
  // An archive that cannot be loaded is worse than none.
  const Digest got = hasher.finish();
  if (got != descriptor.digest) throw DigestMismatch(descriptor.digest, got);
  if (size != descriptor.size)
    throw Error(std::string(what) + " " + got.text() +
                " has another size than the image says");
}

Json docker_entry(const SavedImage& image) {
  Json layers = Json::array();
  Json sources = Json::object();
  for (std::size_t i = 0; i < image.image.manifest.layers.size(); ++i) {
    const Descriptor& layer = image.image.manifest.layers[i];
    layers.push_back(blob_name(layer.digest));
    if (i < image.image.config.diff_ids.size())
      sources[image.image.config.diff_ids[i].text()] = descriptor_to(layer);
  }
  return {{"Config", blob_name(image.image.manifest.config.digest)},
          {"RepoTags", image.names},
          {"Layers", std::move(layers)},
          {"LayerSources", std::move(sources)}};
}

void Saver::save(const std::vector<SavedImage>& images, ArchiveFormat format) {
  Index index{
      .media_type = media::kOciIndex, .manifests = {}, .annotations = {}};
  Json docker = Json::array();
  for (const SavedImage& saved : images) {
    const Image& image = saved.image;
    for (const Descriptor& layer : image.manifest.layers)
      add_blob(layer, "layer");
    add_blob(image.manifest.config, "image config");
    add_blob(image.descriptor, "image manifest");
    docker.push_back(docker_entry(saved));
    Descriptor entry = image.descriptor;
    entry.annotations.clear();
    if (!entry.platform) entry.platform = image.config.platform;
    if (saved.names.empty()) index.manifests.push_back(entry);
    for (const std::string& name : saved.names) {
      const std::string full = full_name(name);
      entry.annotations = {{kContainerdName, full}, {kRefName, tag_of(full)}};
      index.manifests.push_back(entry);
    }
  }
  add_text("index.json", to_json(index));
  if (format == ArchiveFormat::docker) add_text("manifest.json", dump(docker));
  add_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  tar_.finish();
}

}  // namespace

void save_archive(Store& store, const std::vector<SavedImage>& images,
                  ArchiveFormat format, int fd) {
  Saver(store, fd).save(images, format);
}

}  // namespace cbuild::store
