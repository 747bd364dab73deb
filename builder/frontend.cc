#include "builder/frontend.h"

#include <algorithm>

#include "registry/reference.h"

namespace cbuild::builder {

std::string other_frontend(const BuildRequest& request,
                           const parser::ParsedFile& file) {
  std::string syntax = file.directives.syntax;
  for (const auto& [name, value] : request.build_args)
    if (name == "BUILDKIT_SYNTAX" && value) syntax = *value;
  // Options for the frontend may follow its name.
  const std::string image =
      syntax.substr(0, std::min(syntax.find(' '), syntax.size()));
  if (image.empty() || image == "dockerfile.v0") return "";
  const auto reference = registry::Reference::try_parse(image);
  const bool ours = reference && reference->domain() == "docker.io" &&
                    (reference->path() == "docker/dockerfile" ||
                     reference->path() == "docker/dockerfile-upstream");
  return ours ? "" : image;
}

}  // namespace cbuild::builder
