// The flags of `cbuild build`, and what they ask for.
#pragma once

#include "builder/build.h"
#include "cli/options.h"

namespace cbuild::cli {

// Which Dockerfile, stage and values: also the flags of `cbuild graph` and
// `cbuild check`.
inline constexpr Flag kSourceFlags[] = {
    {"What to build", "-f,--file", Takes::one, "FILE",
     "Dockerfile: path, http(s) URL or - (default: CONTEXT/Dockerfile)"},
    {"What to build", "--target", Takes::one, "STAGE", "Stop at this stage"},
    {"What to build", "--build-arg", Takes::many, "NAME[=VALUE]",
     "Set an ARG; without =VALUE, from the environment"},
    {"What to build", "--build-context", Takes::many, "NAME=WHERE",
     "Further files or image for FROM and --from; see below"},
    {"What to build", "--context-mode", Takes::one, "MODE",
     "Modes of the context's files: git (0644 or 0755, whatever the umask of "
     "the checkout; a bind mount shows them as they are), or as-is (default)"},
    {"What to build", "--platform", Takes::one, "OS/ARCH",
     "Platform of the image (default: this machine's)"},
};

extern const FlagTable kBuildFlags;

// Reads the values of all flags and the context word. Throws UsageError with
// docker's words where a value is wrong. Reads standard input for "-"
// (cli/build_context.h).
builder::BuildRequest build_request(const Arguments& arguments);
// The same where there are only kSourceFlags. No word: the current directory.
builder::BuildRequest source_request(const Arguments& arguments);

}  // namespace cbuild::cli
