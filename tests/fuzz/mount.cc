// The value of RUN --mount and of --device, with and without variables.
#include "parser/mount.h"

#include "tests/fuzz/target.h"

namespace cbuild::parser {
namespace {

std::optional<RunMount> parsed(std::string_view text, const Lookup* lookup) {
  try {
    return parse_run_mount(text, lookup);
  } catch (const Error& e) {
    MUST(*e.what() != '\0');
    return std::nullopt;
  }
}

// Stages are ordered by the `from` that is read before variables are known; it
// must be the one that is mounted.
void check_mount(std::string_view text, const Lookup& lookup) {
  const std::optional<RunMount> early = parsed(text, nullptr);
  const std::optional<RunMount> late = parsed(text, &lookup);
  const bool plain = text.find_first_of("$\\'\"") == text.npos;
  if (plain && late) MUST(early && early->from == late->from);
}

}  // namespace
}  // namespace cbuild::parser

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cbuild::parser;
  const std::string_view text = cbuild::fuzz::text_of(data, size);
  const Lookup lookup =
      [](std::string_view name) -> std::optional<std::string> {
    if (name == "UNSET") return std::nullopt;
    return name == "LIST" ? "a,b=c" : std::string(name);
  };
  check_mount(text, lookup);
  try {
    parse_run_device(text);
  } catch (const cbuild::Error& e) {
    MUST(*e.what() != '\0');
  }
  return 0;
}
