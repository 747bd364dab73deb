#include "cli/metadata_file.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cbuild::cli {

std::string metadata_json(const builder::BuildRequest& request,
                          const builder::BuildResult& result,
                          const std::string& created) {
  using Json = nlohmann::ordered_json;
  const store::Descriptor& manifest = result.manifest;
  Json descriptor = {
      {"mediaType", manifest.media_type},
      {"digest", manifest.digest.text()},
      {"size", manifest.size},
      {"annotations",
       {{"config.digest", result.config.text()},
        {"org.opencontainers.image.created", created}}},
  };
  if (manifest.platform)
    descriptor["platform"] = {{"architecture", manifest.platform->architecture},
                              {"os", manifest.platform->os}};
  Json json = {
      {"containerimage.config.digest", result.config.text()},
      {"containerimage.descriptor", std::move(descriptor)},
      {"containerimage.digest", manifest.digest.text()},
  };
  std::vector<std::string> names;
  for (const registry::Reference& tag : request.tags)
    names.push_back(tag.text());
  if (!names.empty()) json["image.name"] = join(names, ",");
  return json.dump(2) + "\n";
}

}  // namespace cbuild::cli
