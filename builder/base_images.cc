#include "builder/base_images.h"

#include "builder/claim.h"
#include "store/oci_layout.h"

namespace cbuild::builder {
namespace {

// The local image, if it is one for `platform`; a name in the store may stand
// for another platform's image.
std::optional<store::Image> local_image(store::Store& store,
                                        const registry::Reference& reference,
                                        const store::Platform& platform) {
  const auto descriptor = store.images.find(reference.text());
  if (!descriptor) return std::nullopt;
  auto image = store.images.try_load(*descriptor, platform);
  if (!image || !store::serves(image->config.platform, platform))
    return std::nullopt;
  return image;
}

}  // namespace

std::optional<ImageStep> BaseImages::known(const std::string& name,
                                           const store::Platform& platform) {
  for (const Known& each : known_)
    if (each.name == name && each.platform == platform) return each.step;
  std::optional<ImageStep> step = look_up(name, platform);
  if (step) known_.push_back({name, platform, *step});
  return step;
}

std::optional<ImageStep> BaseImages::look_up(
    const std::string& name, const store::Platform& platform) const {
  registry::Reference reference =
      registry::Reference::parse(name).with_default_tag();
  store::Store& store = environment_.store;
  if (auto image = local_image(store, reference, platform))
    return ImageStep{reference, std::move(*image), ""};
  const auto recalled = store.images.recall(reference.text(), platform);
  if (recalled && store.blobs.size(recalled->digest))
    if (auto image = store.images.try_load(*recalled, platform))
      return ImageStep{reference, std::move(*image), ""};
  return std::nullopt;
}

ImageStep BaseImages::resolve(const std::string& name,
                              const store::Platform& platform) {
  if (!pull_)
    if (auto step = known(name, platform)) return std::move(*step);
  registry::Reference reference =
      registry::Reference::parse(name).with_default_tag();
  store::Image image = in_context(
      name + ": failed to resolve source metadata for " + reference.text(),
      [&] { return environment_.images.resolve(reference, platform); });
  environment_.store.images.remember(reference.text(), platform,
                                     image.descriptor);
  return {std::move(reference), std::move(image), ""};
}

ImageStep BaseImages::resolve_layout(const NamedImage& image,
                                     const std::string& name,
                                     const store::Platform& platform) {
  const std::string what = "oci-layout reference " + image.layout + ":" +
                           image.tag +
                           (image.digest.empty() ? "" : "@" + image.digest);
  return in_context(what, [&] {
    const store::OciLayout layout(image.layout);
    const auto found = image.digest.empty()
                           ? layout.find(image.tag)
                           : layout.find(store::Digest::parse(image.digest));
    if (!found) throw UsageError("could not be resolved");
    const auto reference = registry::Reference::try_parse(name);
    return ImageStep{reference.value_or(registry::Reference::parse("layout"))
                         .with_default_tag(),
                     layout.load(environment_.store, *found, platform),
                     image.layout};
  });
}

bool BaseImages::complete(const store::Image& image) const {
  for (const store::Descriptor& layer : image.manifest.layers)
    if (!environment_.store.blobs.size(layer.digest)) return false;
  return true;
}

void BaseImages::fetch(const ImageStep& step) {
  std::mutex* busy = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = fetching_[step.image.descriptor.digest.text()];
    if (!slot) slot = std::make_unique<std::mutex>();
    busy = slot.get();
  }
  // Several steps may need one image: one fetches, the others wait.
  const std::lock_guard lock(*busy);
  // An image that was built here is known by its tarballs only; as a base its
  // layers go by their diffIDs.
  const store::Image& image = step.image;
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const store::Descriptor& blob = image.manifest.layers[i];
    environment_.store.layers.add_blob(image.config.diff_ids.at(i), blob.digest,
                                       blob.size,
                                       store::compression_of(blob.media_type));
  }
  if (complete(step.image)) return;
  // Another build may be fetching it too.
  const std::atomic<bool> never = false;
  const store::Claim claim = wait_for_claim(
      environment_.store, "fetch-" + step.image.descriptor.digest.hex(),
      environment_.stop != nullptr ? *environment_.stop : never, [] {});
  if (complete(step.image)) return;
  if (step.layout.empty())
    environment_.images.fetch_layers(step.reference, step.image);
  else
    store::OciLayout(step.layout).copy_layers(environment_.store, step.image);
}

}  // namespace cbuild::builder
