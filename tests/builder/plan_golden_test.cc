// Each folder of testdata/dockerfiles with a plan.golden or plan-error.golden:
// what its Dockerfile is planned to, or what is said of it. Its `options` are
// lines of "build-arg NAME=VALUE", "target STAGE", "build-context NAME=WHERE".
// CBUILD_ACCEPT=1 rewrites the files and fails the run.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "builder/plan_view.h"
#include "tests/builder/fakes.h"

namespace cbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGoldens[] = {"plan.golden", "plan-error.golden"};

// Every image there is: busybox, and golang with two triggers.
class Images final : public registry::ImageSource {
 public:
  store::Image resolve(const registry::Reference& reference,
                       const store::Platform& platform) override {
    const bool triggers = reference.path() == "library/golang";
    if (!triggers && reference.path() != "library/busybox")
      throw registry::RegistryError(reference.text() + ": not found", 404,
                                    "MANIFEST_UNKNOWN");
    const store::Descriptor blob{.digest = store::sha256(reference.text())};
    store::Image image{.descriptor = blob,
                       .manifest = {.config = blob, .layers = {blob}},
                       .config = {}};
    image.config.platform = platform;
    image.config.config.env = {"PATH=/bin", "FROM_BASE=1"};
    image.config.config.cmd = {"sh"};
    if (triggers)
      image.config.config.on_build = {"COPY . /go/src", "RUN go install"};
    return image;
  }
  void fetch_layers(const registry::Reference&, const store::Image&) override {
    throw Error("a plan fetches no layers");
  }
};

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> lessons() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fs::path(CBUILD_SOURCE_DIR) /
                                                  "testdata/dockerfiles"))
    for (const char* golden : kGoldens)
      if (fs::exists(entry.path() / golden)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

BuildRequest request_of(const fs::path& folder, const std::string& context) {
  BuildRequest request;
  request.context = context;
  request.dockerfile_text = contents(folder / "Dockerfile");
  request.platform = store::Platform{"linux", "amd64", "", "", {}};
  std::ifstream options(folder / "options");
  for (std::string option, value; options >> option >> value;) {
    const std::size_t equals = value.find('=');
    const std::string name = value.substr(0, equals);
    if (option == "target")
      request.target = value;
    else if (option == "build-arg")
      request.build_args.emplace_back(name, value.substr(equals + 1));
    else if (option == "build-context")
      request.build_contexts[name] = value.substr(equals + 1);
    else
      throw Error("options: what is " + option + "?");
  }
  return request;
}

struct Outcome {
  const char* file;
  std::string text;
};

Outcome outcome(const fs::path& folder) {
  TempDir directory("/tmp", "cbuild-test-");
  const std::string context = directory.path() + "/context";
  make_dirs(context);
  store::Store store(directory.path() + "/store");
  testing::FakeRunner runner;
  testing::RecordedProgress progress;
  Images images;
  testing::FakeWeb web;
  PlanEnvironment environment{store, images, web, progress};
  try {
    return {kGoldens[0], print_plan(request_of(folder, context), environment,
                                    PlanForm::plan)};
  } catch (const Error& e) {
    return {kGoldens[1], e.what() + std::string("\n")};
  }
}

}  // namespace

TEST_CASE("each lesson is planned as its golden file says", "[plan]") {
  const std::vector<fs::path> folders = lessons();
  REQUIRE(folders.size() > 10);
  for (const fs::path& folder : folders) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const Outcome got = outcome(folder);
      const bool same = fs::exists(folder / got.file) &&
                        contents(folder / got.file) == got.text;
      if (!same && std::getenv("CBUILD_ACCEPT")) {
        for (const char* golden : kGoldens) fs::remove(folder / golden);
        std::ofstream(folder / got.file, std::ios::binary) << got.text;
        FAIL("rewrote " << folder / got.file << "; review it");
      }
      REQUIRE(fs::exists(folder / got.file));
      CHECK(contents(folder / got.file) == got.text);
    }
  }
}

}  // namespace cbuild::builder
