#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "builder/copy_files.h"

namespace cbuild::builder {
namespace {

std::uint32_t changed(const std::string& text, std::uint32_t mode,
                      bool directory = false) {
  return ModeChange::parse(text).apply(mode, directory);
}

TEST_CASE("--chmod in octal takes the place of the whole mode") {
  CHECK(changed("755", 04640) == 0755);
  CHECK(changed("0", 0777) == 0);
  CHECK(changed("6751", 0600, true) == 06751);
  CHECK(ModeChange::parse("0644").octal());
}

TEST_CASE("--chmod with letters follows chmod(1) of BSD") {
  struct Case {
    const char* text;
    std::uint32_t mode;
    bool directory;
    std::uint32_t want;
  };
  const Case cases[] = {
      {"u=rwX,go=rX", 0600, false, 0644}, {"u=rwX,go=rX", 0600, true, 0755},
      {"u=rwX,go=rX", 0710, false, 0755}, {"g=u", 0640, false, 0660},
      {"+x", 0644, false, 0755},          {"a-w", 0666, false, 0444},
      {"go=", 0777, false, 0700},         {"u+s", 0755, false, 04755},
      {"=", 07777, false, 01000},  // no class holds the sticky bit
      {"+t", 0755, true, 01755},          {"u+x-w", 0644, false, 0544},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(changed(c.text, c.mode, c.directory) == c.want);
  }
}

TEST_CASE("what is no mode is refused in BuildKit's words") {
  const std::string octal =
      ". it should be octal string and between 0 and 07777";
  for (const char* text : {"64a", "0890", "10000", "0x1ff"})
    CHECK_THROWS_WITH(
        ModeChange::parse(text),
        "invalid chmod parameter: '" + std::string(text) + "'" + octal);
  for (const char* text : {"", "u", "u+x,", "x+u", "+q"})
    CHECK_THROWS_WITH(ModeChange::parse(text),
                      Catch::Contains("invalid syntax"));
}

TEST_CASE("--chmod agrees with BuildKit on the corpus") {
  const std::string path =
      CBUILD_SOURCE_DIR "/../shared/corpus/units/chmod.jsonl";
  std::ifstream file(path);
  if (!file) {
    WARN("SKIPPED: no corpus at " << path);
    return;
  }
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json c = nlohmann::json::parse(line);
    const auto text = c.at("chmod").get<std::string>();
    INFO(line);
    if (c.contains("error")) {
      CHECK_THROWS_AS(ModeChange::parse(text), Error);
      continue;
    }
    const auto octal = [](const std::string& number) {
      return static_cast<std::uint32_t>(
          std::stoul(number.substr(2), nullptr, 8));
    };
    CHECK(changed(text, octal(c.at("mode")), c.at("dir")) ==
          octal(c.at("result")));
  }
}

}  // namespace
}  // namespace cbuild::builder
