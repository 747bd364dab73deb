// cbuild check: the build checks, and cbuild's own.
#include <algorithm>

#include "base/text.h"
#include "builder/check_rules.h"
#include "cli/build_flags.h"
#include "cli/call.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"How to check", "--experimental", Takes::many, "RULE[,RULE]",
     "Make these checks too, which are off by default"},
    {"How to check", "--format", Takes::one, "FORMAT",
     "text (default), json (BuildKit's), sarif or github"},
    {"How to check", "--pull", Takes::nothing, "",
     "Ask registries what base images set (default: only the store)"},
};
const FlagTable kTable = {{kFlags, kSourceFlags, kRegistryFlags, kGlobalFlags}};

// Rules that are on unless skipped need no asking for.
std::vector<std::string> experimental_rules(const Arguments& arguments) {
  std::vector<std::string> optional;
  for (const builder::CheckRule& rule : builder::check_rules())
    if (rule.kind != builder::CheckRule::Kind::standard)
      optional.emplace_back(rule.name);
  std::vector<std::string> names;
  for (const std::string& text : arguments.values("experimental"))
    for (const std::string& name : split(text, ',')) {
      if (std::find(optional.begin(), optional.end(), name) == optional.end())
        refuse_value("experimental", text,
                     "want some of " + join(optional, ", ") +
                         did_you_mean(name, optional));
      names.push_back(name);
    }
  return names;
}

void run_check(Session& session) {
  const Arguments& args = session.args();
  Call call;
  call.format = args.value("format", "text");
  const std::vector<std::string> formats = {"text", "json", "sarif", "github"};
  if (std::find(formats.begin(), formats.end(), call.format) == formats.end())
    refuse_value("format", call.format,
                 "want text, json, sarif or github" +
                     did_you_mean(call.format, formats));
  builder::BuildRequest request = source_request(args);
  request.pull = args.has("pull");
  request.experimental_checks = experimental_rules(args);
  run_call(session, request, call);
}

}  // namespace

const Command kCheckCommand = {
    "check",
    "[OPTIONS] [CONTEXT]",
    "Judge a Dockerfile without building it",
    R"(Makes BuildKit's build checks, by their names: of all stages, or of what
--target needs. CONTEXT is the current directory if not given. In the Dockerfile
  # check=skip=RULE,RULE;error=true;experimental=RULE
at the top chooses among them, and a comment `# check=skip=RULE` right above an
instruction does so for that one. The build argument BUILDKIT_DOCKERFILE_CHECK
replaces the first. Off by default:
  InvalidDefinitionDescription  a comment above FROM or ARG describes it
  FilesStoredTwice              RUN chown or chmod of files that an earlier
                                instruction of the stage brought
  ArgInvalidatesOtherSteps      RUNs between an ARG and the first that names it
The last two are cbuild's own; `experimental=all` is BuildKit's one.

Exit status: 0 nothing found, 1 warnings, 2 the Dockerfile cannot be built.

Examples:
  cbuild check
  cbuild check -f docker/Dockerfile --experimental FilesStoredTwice .
  cbuild check --format sarif . >checks.sarif
)",
    kTable,
    0,
    1,
    run_check,
};

}  // namespace cbuild::cli
