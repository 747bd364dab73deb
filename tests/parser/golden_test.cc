// Every folder of testdata/dockerfiles: what its Dockerfile is parsed to, or
// what is said of it. CBUILD_ACCEPT=1 rewrites the files and fails the run.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "parser/dump.h"
#include "parser/parse.h"

namespace cbuild::parser {
namespace {

namespace fs = std::filesystem;

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
    if (fs::exists(entry.path() / "Dockerfile"))
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

struct Outcome {
  const char* file;
  std::string text;
};

Outcome outcome(const std::string& text) {
  try {
    return {"ast.golden", dump(parse(text), text)};
  } catch (const SyntaxError& e) {
    return {"error.golden",
            e.located("Dockerfile", text).what() + std::string("\n")};
  }
}

void accept(const fs::path& folder, const Outcome& got) {
  for (const char* golden : {"ast.golden", "error.golden"})
    fs::remove(folder / golden);
  std::ofstream(folder / got.file, std::ios::binary) << got.text;
}

}  // namespace

TEST_CASE("each lesson is parsed as its golden file says", "[parser]") {
  const std::vector<fs::path> folders = lessons();
  REQUIRE(folders.size() > 20);
  for (const fs::path& folder : folders) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const Outcome got = outcome(contents(folder / "Dockerfile"));
      const bool same = fs::exists(folder / got.file) &&
                        contents(folder / got.file) == got.text;
      if (!same && std::getenv("CBUILD_ACCEPT")) {
        accept(folder, got);
        FAIL("rewrote " << folder / got.file << "; review it");
      }
      REQUIRE(fs::exists(folder / got.file));
      CHECK(contents(folder / got.file) == got.text);
    }
  }
}

// Errors of the plan (tests/builder/plan_golden_test.cc) have a tree too.
TEST_CASE("there is a lesson in errors for three in trees", "[parser]") {
  std::size_t trees = 0;
  std::size_t errors = 0;
  for (const fs::path& folder : lessons()) {
    const bool tree = fs::exists(folder / "ast.golden");
    const bool error = fs::exists(folder / "error.golden");
    INFO(folder);
    CHECK(tree != error);
    trees += tree;
    errors += error || fs::exists(folder / "plan-error.golden");
  }
  CHECK(errors * 3 >= trees);
}

}  // namespace cbuild::parser
