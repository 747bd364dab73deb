#include "cli/find_image.h"

#include "base/text.h"
#include "registry/reference.h"

namespace cbuild::cli {
namespace {

std::optional<store::Descriptor> find_by_digest(
    const store::Store& store, const registry::Reference& reference) {
  for (const store::NamedImage& image : store.images.list()) {
    const auto name = registry::Reference::try_parse(image.name);
    if (image.manifest.digest == *reference.digest() &&
        (!name || name->name() == reference.name()))
      return image.manifest;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> full_name(const std::string& text) {
  const auto reference = registry::Reference::try_parse(text);
  if (!reference) return std::nullopt;
  return reference->with_default_tag().text();
}

store::Descriptor find_image(const store::Store& store,
                             const std::string& text) {
  if (const auto reference = registry::Reference::try_parse(text)) {
    if (reference->digest()) {
      if (auto found = find_by_digest(store, *reference)) return *found;
    } else if (auto found =
                   store.images.find(reference->with_default_tag().text())) {
      return *found;
    }
  }
  if (auto found = store.images.find_by_id(text)) return *found;

  std::vector<std::string> names;
  for (const store::NamedImage& image : store.images.list()) {
    if (image.familiar.empty()) continue;
    names.push_back(image.familiar);
    if (image.familiar.ends_with(":latest"))
      names.push_back(image.familiar.substr(0, image.familiar.rfind(':')));
  }
  throw Error("No such image: " + text + did_you_mean(text, names));
}

store::ImageStore::Name normalize_name(const std::string& text) {
  const auto reference = registry::Reference::parse(text).with_default_tag();
  return {reference.text(), reference.familiar()};
}

store::LayerId layer_of(store::Store& store, const store::Image& image,
                        std::size_t layer) {
  const store::Descriptor& blob = image.manifest.layers.at(layer);
  const store::Digest& diff_id = image.config.diff_ids.at(layer);
  if (const auto made = store.layers.id_of(diff_id); made != diff_id.hex())
    return made;
  return store.layers.add_blob(diff_id, blob.digest, blob.size,
                               store::compression_of(blob.media_type));
}

std::uint64_t layer_size(store::Store& store, const store::Image& image,
                         std::size_t layer) {
  const store::Descriptor& blob = image.manifest.layers.at(layer);
  const store::LayerId id = layer_of(store, image, layer);
  if (!store.layers.has_tree(id) && !store.blobs.size(blob.digest))
    return blob.size;
  return store.layers.content_size(id);
}

std::uint64_t image_size(store::Store& store, const store::Image& image) {
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i)
    size += layer_size(store, image, i);
  return size;
}

}  // namespace cbuild::cli
