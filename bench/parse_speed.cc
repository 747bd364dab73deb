// parse_speed [INSTRUCTIONS]: how long reading a large Dockerfile takes.
//
// Makes a Dockerfile of so many instructions (10,000) with flags, heredocs,
// continuations, JSON forms and variables, parses it and expands every ENV, ARG
// and COPY word of it, 21 times, and prints medians. The goal is 50 ms for both
// on the machine of docs; no test depends on it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "parser/expand.h"
#include "parser/parse.h"

namespace {

using namespace cbuild::parser;

// One instruction of each kind, in turn; `$N` stands for its number.
constexpr const char* kInstructions[] = {
    "ENV A$N=value-$N B$N=\"quoted $A$N text\" C$N=${A$N:-x}\n",
    "RUN --mount=type=cache,target=/c$N make -j4 target-$N && \\\n"
    "    # a comment\n"
    "    echo done $A$N | tee /log/$N && \\\n"
    "    rm -rf /tmp/*\n",
    "COPY --chown=1:1 --chmod=0644 src/$N/a src/$N/b* ${DIR%/}/dst$N/\n",
    "RUN <<EOF\nset -e\nfor i in 1 2 3; do echo $i > /f$N; done\nEOF\n",
    "COPY <<A <<\"B\" /d$N/\nhello $A$N\nA\n$raw\nB\n",
    "LABEL org.example.l$N=\"text $N\" other=$N\n",
    "WORKDIR /w/$N\n",
    "CMD [\"/bin/sh\", \"-c\", \"echo \\\"$N\\\"\"]\n",
    "ARG X$N=${A$N} Y$N\n",
    "EXPOSE 80 8080/tcp\n",
    "HEALTHCHECK --interval=5m CMD curl -f http://localhost/$N || exit 1\n",
};

std::string dockerfile(std::size_t instructions) {
  std::string text = "# syntax=docker/dockerfile:1\nFROM busybox\n";
  for (std::size_t i = 1; i < instructions; ++i) {
    std::string line = kInstructions[i % std::size(kInstructions)];
    for (std::size_t at; (at = line.find("$N")) != std::string::npos;)
      line.replace(at, 2, std::to_string(i));
    text += line;
  }
  return text;
}

std::size_t expand_all(const ParsedFile& file) {
  const Lookup lookup = [](std::string_view name) {
    return std::optional<std::string>(name);
  };
  std::size_t bytes = 0;
  const auto word = [&](const Word& w) {
    bytes += expand(w.raw, lookup).text.size();
  };
  for (const Instruction& each : file.stages.at(0).instructions) {
    if (const Env* env = std::get_if<Env>(&each.node))
      for (const KeyValue& pair : env->pairs) word(pair.value);
    if (const Arg* arg = std::get_if<Arg>(&each.node))
      for (const ArgDeclaration& one : arg->declarations)
        if (one.value) word(*one.value);
    if (const Copy* copy = std::get_if<Copy>(&each.node)) {
      for (const Word& source : copy->sources) word(source);
      word(copy->destination);
    }
  }
  return bytes;
}

double median_ms(const std::function<void()>& work) {
  std::vector<double> times;
  for (int round = 0; round < 21; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - start;
    times.push_back(took.count());
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return times[10];
}

}  // namespace

int main(int argc, char** argv) {
  const int asked = argc > 1 ? std::atoi(argv[1]) : 10'000;
  if (asked < 1) {
    std::fprintf(stderr, "usage: parse_speed [INSTRUCTIONS]\n");
    return 2;
  }
  const std::string text = dockerfile(static_cast<std::size_t>(asked));
  ParsedFile file;
  const double parsing = median_ms([&] { file = parse(text); });
  std::size_t bytes = 0;
  const double expanding = median_ms([&] { bytes = expand_all(file); });
  std::printf(
      "%d instructions, %zu bytes: parsed in %.1f ms, words expanded "
      "to %zu bytes in %.1f ms\n",
      asked, text.size(), parsing, bytes, expanding);
  return 0;
}
