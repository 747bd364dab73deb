#include "builder/check_rules.h"

#include <algorithm>

namespace cbuild::builder {
namespace {

using Kind = CheckRule::Kind;

constexpr CheckRule kRules[] = {
    {"StageNameCasing", "Stage names should be lowercase", "stage-name-casing"},
    {"FromAsCasing",
     "The 'as' keyword should match the case of the 'from' keyword",
     "from-as-casing"},
    {"NoEmptyContinuation",
     "Empty continuation lines will become errors in a future release",
     "no-empty-continuation"},
    {"ConsistentInstructionCasing",
     "All commands within the Dockerfile should use the same casing (either "
     "upper or lower)",
     "consistent-instruction-casing"},
    {"DuplicateStageName", "Stage names should be unique",
     "duplicate-stage-name"},
    {"ReservedStageName", "Reserved words should not be used as stage names",
     "reserved-stage-name"},
    {"JSONArgsRecommended",
     "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended "
     "behavior related to OS signals",
     "json-args-recommended"},
    {"MaintainerDeprecated",
     "The MAINTAINER instruction is deprecated, use a label instead to define "
     "an image author",
     "maintainer-deprecated"},
    {"UndefinedArgInFrom", "FROM command must use declared ARGs",
     "undefined-arg-in-from"},
    {"WorkdirRelativePath",
     "Relative workdir without an absolute workdir declared within the build "
     "can have unexpected results if the base image changes",
     "workdir-relative-path"},
    {"UndefinedVar", "Variables should be defined before their use",
     "undefined-var"},
    {"MultipleInstructionsDisallowed",
     "Multiple instructions of the same type should not be used in the same "
     "stage",
     "multiple-instructions-disallowed"},
    {"LegacyKeyValueFormat",
     "Legacy key/value format with whitespace separator should not be used",
     "legacy-key-value-format"},
    {"InvalidBaseImagePlatform",
     "Base image platform does not match expected target platform", ""},
    {"RedundantTargetPlatform",
     "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as "
     "this is the default behavior",
     "redundant-target-platform"},
    {"SecretsUsedInArgOrEnv",
     "Sensitive data should not be used in the ARG or ENV commands",
     "secrets-used-in-arg-or-env"},
    {"InvalidDefaultArgInFrom",
     "Default value for global ARG results in an empty or invalid base image "
     "name",
     "invalid-default-arg-in-from"},
    {"FromPlatformFlagConstDisallowed",
     "FROM --platform flag should not use a constant value",
     "from-platform-flag-const-disallowed"},
    {"CopyIgnoredFile",
     "Attempting to Copy file that is excluded by .dockerignore",
     "copy-ignored-file"},
    {"InvalidDefinitionDescription",
     "Comment for build stage or argument should follow the format: `# "
     "<arg/stage name> <description>`. If this is not intended to be a "
     "description comment, add an empty line or comment between the "
     "instruction and the comment.",
     "invalid-definition-description", Kind::experimental},
    {"ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase",
     "expose-proto-casing"},
    {"ExposeInvalidFormat",
     "IP address and host-port mapping should not be used in EXPOSE "
     "instruction. This will become an error in a future release",
     "expose-invalid-format"},
    {"FilesStoredTwice",
     "A chown or chmod in a RUN of its own stores every file it touches again",
     "", Kind::own},
    {"ArgInvalidatesOtherSteps",
     "A new value of an ARG makes all RUNs below it run again, also those that "
     "never name it",
     "", Kind::own},
};

}  // namespace

std::string CheckRule::url() const {
  if (*page == '\0') return "";
  return std::string("https://docs.docker.com/go/dockerfile/rule/") + page +
         "/";
}

std::span<const CheckRule> check_rules() { return kRules; }

const CheckRule* find_rule(std::string_view name) {
  const auto* rule =
      std::find_if(std::begin(kRules), std::end(kRules),
                   [&](const CheckRule& r) { return name == r.name; });
  return rule == std::end(kRules) ? nullptr : rule;
}

}  // namespace cbuild::builder
