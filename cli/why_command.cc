// cbuild why: why the last build of a directory ran what it ran.
#include <sys/stat.h>

#include <ctime>

#include "base/text.h"
#include "builder/build_trace.h"
#include "builder/local_context.h"
#include "cli/command.h"
#include "cli/explanation.h"
#include "cli/output.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Which build", "-f,--file", Takes::one, "FILE",
     "Dockerfile, or - where it came from standard input (default: "
     "DIR/Dockerfile)"},
    {"Which build", "--target", Takes::one, "STAGE",
     "The build that stopped at this stage"},
    {"Which build", "--platform", Takes::one, "OS/ARCH",
     "The build that was given this platform"},
};

const FlagTable kTable = {{kFlags, kGlobalFlags}};

bool is_directory(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

struct Question {
  std::string step;
  std::string directory = ".";
};

// A single word that is a directory is one; else it names a step.
Question question(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  if (words.size() == 2) return {words[0], words[1]};
  if (is_directory(words[0])) return {"", words[0]};
  return {words[0], "."};
}

bool is_meant(const builder::StepReport& step, const std::string& word) {
  if (const auto line = parse_number(word)) return step.line == *line;
  if (step.name.find("[" + word + "]") != std::string::npos) return true;
  return to_lower(step.name).find(to_lower(word)) != std::string::npos;
}

builder::TraceName asked_build(const Arguments& args,
                               const std::string& directory) {
  builder::BuildRequest request;
  request.context = directory;
  request.target = args.value("target");
  if (args.has("platform"))
    request.platform = store::parse_platform(args.value("platform"));
  // A Dockerfile from elsewhere has no path here.
  if (args.value("file") == "-" || !is_directory(directory))
    return builder::trace_name(request, "");
  request.dockerfile = args.value("file");
  return builder::trace_name(request,
                             builder::read_local_dockerfile(request).path);
}

void run_why(Session& session) {
  const Question asked = question(session.args().words());
  const builder::TraceName name = asked_build(session.args(), asked.directory);
  const builder::Traces traces(session.store().root());
  const auto steps = traces.load(name);
  if (!steps)
    throw Error("no build of " + name.context +
                (name.target.empty() ? "" : " with --target " + name.target) +
                " is known in this store");
  std::vector<builder::StepReport> meant;
  for (const builder::TracedStep& step : *steps)
    if (asked.step.empty() || is_meant(step.report, asked.step))
      meant.push_back(step.report);
  if (meant.empty())
    throw UsageError("the last build had no step " + go_quote(asked.step) +
                     ": give its line, its place such as 2/5, or a part of it");
  print(explanation(meant, !asked.step.empty()) + "\n");
}

}  // namespace

const Command kWhyCommand = {
    "why",
    "[OPTIONS] [STEP] [DIR]",
    "Say why the last build ran what it ran",
    R"(Of each step of the last build of DIR (default: the current directory):
CACHED, REBUILT with the first input that differed from the build before, or
SKIPPED where nothing needed it. With STEP - its line in the Dockerfile, its
place such as "build 2/5", or a part of the instruction - all that differed.

Examples:
  cbuild why
  cbuild why 'RUN make' src
  cbuild why 12
)",
    kTable,
    0,
    2,
    run_why,
};

}  // namespace cbuild::cli
