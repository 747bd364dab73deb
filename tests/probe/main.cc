// cbuild-probe FAMILY: answers unit cases, one JSON object a line, by calling
// the product's functions. A test program, not installed.
#include <iostream>

#include "base/error.h"
#include "tests/probe/family.h"

namespace cbuild::probe {

std::map<std::string, Answer>& families() {
  static std::map<std::string, Answer> table;
  return table;
}

namespace {

Json answer(Answer family, const std::string& line) {
  try {
    return family(Json::parse(line));
  } catch (const Error& e) {
    return {{"error", e.what()}};
  }
}

int run(const std::string& name) {
  const auto family = families().find(name);
  if (family == families().end()) {
    std::cerr << "cbuild-probe: no family " << name << "; there are:";
    for (const auto& [known, function] : families()) std::cerr << ' ' << known;
    std::cerr << '\n';
    return 2;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(family->second, line)
                     .dump(-1, ' ', false, Json::error_handler_t::replace)
              << '\n';
  return 0;
}

}  // namespace
}  // namespace cbuild::probe

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: cbuild-probe FAMILY < cases\n";
    return 2;
  }
  return cbuild::probe::run(argv[1]);
}
