#include "builder/base_images.h"

#include <catch2/catch.hpp>

#include "tests/builder/fakes.h"

namespace cbuild::builder {
namespace {

TEST_CASE("all stages of a build start from one image of a name", "[builder]") {
  testing::World world;
  world.request.tags = {registry::Reference::parse("base").with_default_tag()};
  const auto first = world.build("FROM scratch\nLABEL n=1\n").manifest.digest;
  PlanEnvironment environment{world.store(), world.images, world.web,
                              world.progress};
  BaseImages bases(environment, false);
  const store::Platform here = store::host_platform();
  CHECK(bases.resolve("base", here).image.descriptor.digest == first);
  // Somebody gives the name to another image in the middle of it.
  const auto second = world.build("FROM scratch\nLABEL n=2\n").manifest.digest;
  REQUIRE(second != first);
  CHECK(bases.resolve("base", here).image.descriptor.digest == first);
  CHECK(BaseImages(environment, false)
            .resolve("base", here)
            .image.descriptor.digest == second);
}

}  // namespace
}  // namespace cbuild::builder
