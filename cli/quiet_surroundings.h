// What planning asks of the outside where nothing is built and nothing shown.
#pragma once

#include <memory>

#include "builder/build.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/registry_images.h"
#include "registry/web_client.h"

namespace cbuild::cli {

// Outlived by the session.
class QuietSurroundings {
 public:
  explicit QuietSurroundings(Session& session)
      : renderer_(make_renderer(ProgressKind::quiet)),
        images_(session.store(), session.client_options(), *renderer_),
        web_(session.client_options()),
        environment{session.store(), images_, web_, *renderer_,
                    session.stop()} {}

 private:
  std::unique_ptr<Renderer> renderer_;
  RegistryImages images_;
  registry::WebClient web_;

 public:
  builder::PlanEnvironment environment;  // of the parts above
};

}  // namespace cbuild::cli
