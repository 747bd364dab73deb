// No input crashes or hangs the parser. The mutations are the same in every
// run; CBUILD_FUZZ_ROUNDS asks for more of them.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "parser/dump.h"
#include "parser/expand.h"
#include "parser/ignore.h"
#include "parser/mount.h"
#include "parser/parse.h"

namespace cbuild::parser {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> seeds() {
  std::vector<std::string> texts = {"", "\n", "FROM x\n"};
  for (const auto& entry : fs::directory_iterator(fs::path(CBUILD_SOURCE_DIR) /
                                                  "testdata/dockerfiles")) {
    std::ifstream file(entry.path() / "Dockerfile", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    texts.push_back(text.str());
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

class Mutator {
 public:
  std::string mutate(std::string text) {
    for (std::size_t i = 0, n = 1 + below(6); i < n; ++i) {
      const std::size_t at = below(text.size() + 1);
      switch (below(5)) {
        case 0:
          text.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        case 1:
          text.erase(at, 1 + below(8));
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(below(256));
          break;
        case 3:
          text.insert(at, text.substr(below(text.size() + 1), below(40)));
          break;
        default:
          text.resize(at);
      }
    }
    return text;
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  static constexpr const char* kPieces[] = {
      "\\\n",         "<<E\n", "<<-\"E\" ", "\"",       "'",
      "${",           "}",     ":-",        "--",       "=",
      "[\"a\",",      "\\u",   "\xff",      "\u00e9",   "\n",
      "\r\n",         "RUN ",  "COPY ",     "ENV ",     "FROM ",
      "# escape=`\n", "*",     "**/",       "[",        "/",
      "//",           "#",     "%%",        "ONBUILD ", "\0x"};
  std::mt19937 random_{20240601};
};

void run_all(const std::string& text) {
  try {
    dump(parse(text), text);
  } catch (const SyntaxError& e) {
    e.located("Dockerfile", text);
  }
  const Lookup lookup =
      [&](std::string_view name) -> std::optional<std::string> {
    if (name.size() % 2 == 0) return std::nullopt;
    return text.substr(0, 50);
  };
  const auto attempt = [](auto&& body) {
    try {
      body();
    } catch (const Error&) {
    }
  };
  attempt([&] { parse_onbuild(text); });
  attempt([&] { expand(text, lookup); });
  attempt([&] { expand_words(text, lookup, {.raw_quotes = true}); });
  attempt([&] { parse_run_mount(text, &lookup); });
  attempt([&] { parse_run_device(text); });
  attempt([&] { glob_match(text, "a/b"); });
  attempt([&] {
    const IgnoreMatcher matcher(read_ignore_file(text));
    matcher.can_prune("RUN/a b/x");
    matcher.deciding_pattern(text);
  });
}

}  // namespace

TEST_CASE("mutated Dockerfiles neither crash nor hang", "[parser][fuzz]") {
  const char* asked = std::getenv("CBUILD_FUZZ_ROUNDS");
  const int rounds = asked ? std::atoi(asked) : 3000;
  const std::vector<std::string> texts = seeds();
  Mutator mutator;
  for (int i = 0; i < rounds; ++i)
    run_all(mutator.mutate(texts[mutator.below(texts.size())]));
  SUCCEED();
}

TEST_CASE("lines of 64 KiB of one thing are read", "[parser]") {
  for (const char* piece :
       {"$",  "${",      "${a:-",   "\"",  "'",    "\\",   "<<E ",
        "[",  "[\"a\",", "{\"a\":", " ",   "a=b ", "--x ", "<",
        "--", "\"${x/",  "*",       "**/", "[a]",  "!"}) {
    std::string many;
    while (many.size() < 60'000) many += piece;
    for (const char* keyword :
         {"RUN ", "COPY ", "ENV ", "ARG ", "FROM ", "HEALTHCHECK CMD ",
          "RUN --mount=", "ONBUILD RUN ", "EXPOSE ", ""}) {
      const std::string text = "FROM x\n" + (keyword + many);
      try {
        parse(text);
      } catch (const SyntaxError& e) {
        e.located("Dockerfile", text);
      }
    }
    run_all(many.substr(0, 3000));
  }
  SUCCEED();
}

}  // namespace cbuild::parser
