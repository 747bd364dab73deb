// Base images: which one a name means, and its layers when they are needed.
//
// A name is looked up in the store's images, then in what the registry last
// said, then in the registry; with `pull` only there. What is in the store is
// looked for once in a build, however many stages start from it. No layer is
// fetched until a step on top of it executes or the image is published.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/named_context.h"
#include "builder/plan.h"

namespace cbuild::builder {

class BaseImages {
 public:
  BaseImages(PlanEnvironment& environment, bool pull)
      : environment_(environment), pull_(pull) {}

  // What is known of it here, without asking a registry; nullopt: nothing.
  std::optional<ImageStep> known(const std::string& name,
                                 const store::Platform& platform);

  // Throws registry errors with the image's name in front.
  ImageStep resolve(const std::string& name, const store::Platform& platform);

  // The image of an OCI layout; `name` is what it is known by here. Throws
  // UsageError where the layout has no such image.
  ImageStep resolve_layout(const NamedImage& image, const std::string& name,
                           const store::Platform& platform);

  // Makes the layers' tarballs be in the store.
  void fetch(const ImageStep& step);

 private:
  struct Known {
    std::string name;
    store::Platform platform;
    ImageStep step;
  };

  std::optional<ImageStep> look_up(const std::string& name,
                                   const store::Platform& platform) const;
  bool complete(const store::Image& image) const;

  PlanEnvironment& environment_;
  bool pull_;
  std::vector<Known> known_;
  std::mutex mutex_;  // guards:
  std::map<std::string, std::unique_ptr<std::mutex>> fetching_;
};

}  // namespace cbuild::builder
