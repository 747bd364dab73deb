#include "store/check_image.h"

#include <fcntl.h>

#include <algorithm>
#include <map>

#include "base/dir.h"
#include "base/error.h"
#include "store/compress.h"
#include "store/layer_io.h"
#include "store/layer_meta.h"
#include "store/tar.h"

namespace cbuild::store {
namespace {

class Checker {
 public:
  Checker(Store& store, const CheckOptions& options)
      : store_(store), options_(options) {}

  void image(const Descriptor& descriptor);
  std::vector<std::string> take() { return std::move(problems_); }

 private:
  void say(const std::string& problem) { problems_.push_back(problem); }
  std::optional<std::string> document(const Descriptor& d, const char* what);
  void manifest(const Manifest& manifest);
  void layer(const Descriptor& layer, const Digest& diff_id);
  void entries(const std::string& name, const ByteSource& blob);
  void forms(const std::string& name, const LayerIndex& index,
             const Digest& diff_id);

  Store& store_;
  const CheckOptions& options_;
  std::vector<std::string> problems_;
};

// The blob, hashed by read(); nullopt, and said, where it is absent or wrong.
std::optional<std::string> Checker::document(const Descriptor& d,
                                             const char* what) {
  const std::string name = std::string(what) + " " + d.digest.short_text();
  const auto size = store_.blobs.size(d.digest);
  auto text = store_.blobs.read(d.digest);
  if (!text) {
    say(name + (size ? " has another digest" : " is absent"));
  } else if (text->size() != d.size) {
    say(name + " has " + std::to_string(text->size()) +
        " bytes, its descriptor says " + std::to_string(d.size));
  }
  return text;
}

void Checker::image(const Descriptor& descriptor) {
  const auto text = document(descriptor, "manifest");
  if (!text) return;
  try {
    if (!is_index(descriptor.media_type)) {
      manifest(parse_manifest(*text));
      return;
    }
    for (const Descriptor& entry : parse_index(*text).manifests) {
      const bool real = !entry.platform || entry.platform->os != "unknown";
      if (real && store_.blobs.size(entry.digest)) image(entry);
    }
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    say(e.what());
  }
}

void Checker::manifest(const Manifest& manifest) {
  const auto text = document(manifest.config, "config");
  if (!text) return;
  const ImageConfig config = parse_image_config(*text);
  if (config.diff_ids.size() != manifest.layers.size()) {
    say("the config has " + std::to_string(config.diff_ids.size()) +
        " diffIDs for " + std::to_string(manifest.layers.size()) + " layers");
    return;
  }
  const auto filled = static_cast<std::size_t>(
      std::count_if(config.history.begin(), config.history.end(),
                    [](const History& entry) { return !entry.empty_layer; }));
  if (!config.history.empty() && filled != manifest.layers.size())
    say("the history has " + std::to_string(filled) + " layers, the image " +
        std::to_string(manifest.layers.size()));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i)
    layer(manifest.layers[i], config.diff_ids[i]);
}

void Checker::layer(const Descriptor& layer, const Digest& diff_id) {
  const std::string name = "layer " + layer.digest.short_text();
  const std::optional<Fd> blob = store_.blobs.open(layer.digest);
  if (!blob) {
    say(name + " is absent");
    return;
  }
  Hasher hasher;
  std::uint64_t size = 0;
  std::string start;
  const ByteSource hashed =
      watched(file_source(blob->get(), name), [&](std::string_view data) {
        hasher.update(data);
        size += data.size();
        if (start.size() < 4) start.append(data.substr(0, 4));
      });
  try {
    const LayerContent content = read_layer(hashed, kNoTree);
    if (content.diff_id != diff_id)
      say(name + " unpacks to " + content.diff_id.short_text() +
          ", the config says " + diff_id.short_text());
    check(::lseek(blob->get(), 0, SEEK_SET), "seek", name);
    entries(name, file_source(blob->get(), name));
    forms(name, content.index, diff_id);
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    say(name + ": " + e.what());
    return;
  }
  if (hasher.finish() != layer.digest) say(name + " has another digest");
  if (size != layer.size)
    say(name + " has " + std::to_string(size) + " bytes, its descriptor says " +
        std::to_string(layer.size));
  if (compression_of(layer.media_type) != sniff(start))
    say(name + " is not compressed as its media type says");
}

// Order and uniqueness of the entries as they stand in the tarball.
void Checker::entries(const std::string& name, const ByteSource& blob) {
  TarReader tar(decompressed(blob), false);
  std::map<std::string, EntryType> seen;
  std::map<std::string, std::string> wanted;  // directory -> first path in it
  while (const std::optional<IndexEntry> entry = tar.next()) {
    std::string path = entry->path;
    if (path.starts_with("./")) path.erase(0, 2);
    while (path.ends_with('/')) path.pop_back();
    if (!seen.emplace(path, entry->type).second)
      say(name + " has " + path + " twice");
    const auto child = wanted.find(path);
    if (child != wanted.end())
      say(name + " has " + child->second + " before its directory");
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos;
         slash = slash == 0 ? std::string::npos : path.rfind('/', slash - 1)) {
      const std::string parent = path.substr(0, slash);
      if (seen.contains(parent)) break;
      wanted.emplace(parent, path);
    }
    std::string target = entry->target;
    if (target.starts_with("./")) target.erase(0, 2);
    if (entry->type == EntryType::hardlink && !seen.contains(target))
      say(name + " has the hard link " + path + " before " + target);
  }
}

// What the store keeps of the layer besides its tarball.
void Checker::forms(const std::string& name, const LayerIndex& index,
                    const Digest& diff_id) {
  const LayerId id = diff_id.hex();
  const std::string directory = store_.layers.directory(id);
  const std::string want = serialize(index);
  const std::optional<std::string> stored = read_file(directory + "/index");
  if (stored && *stored != want)
    say(name + " has an index in the store that is not the tarball's");
  if (!options_.trees || !store_.layers.has_tree(id)) return;
  const Fd tree = open_path(directory + "/tree", O_RDONLY | O_DIRECTORY);
  for (const std::string& problem :
       compare_tree(index, tree.get(), read_meta(directory).implied, 1))
    say(name + ": its tree " + problem);
}

}  // namespace

std::vector<std::string> check_image(Store& store, const Descriptor& image,
                                     const CheckOptions& options) {
  Checker checker(store, options);
  checker.image(image);
  return checker.take();
}

}  // namespace cbuild::store
