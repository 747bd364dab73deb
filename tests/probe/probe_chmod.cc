#include <cstdio>

#include "builder/copy_files.h"
#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

Json answer(const Json& question) {
  const auto change =
      builder::ModeChange::parse(question.at("chmod").get<std::string>());
  const auto mode =
      std::stoul(question.at("mode").get<std::string>().substr(2), nullptr, 8);
  char text[16];
  std::snprintf(text, sizeof text, "0o%o",
                change.apply(static_cast<std::uint32_t>(mode),
                             question.at("dir").get<bool>()));
  return {{"result", text}};
}

const Family family("chmod", answer);

}  // namespace
}  // namespace cbuild::probe
