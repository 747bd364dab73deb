// SOURCE_DATE_EPOCH: the time that takes the place of "now" in the image
// (dockerfile2llb/epoch.go).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "builder/contexts.h"
#include "builder/scope.h"
#include "parser/ast.h"

namespace cbuild::builder {

// The build argument's value, else that of the global ARG; empty: not set.
std::string epoch_text(const BuildArgs& build_args, const GlobalScope& scope);

// Where `text` leads: seconds since 1970, which may be negative; "context" or
// the name of a --build-context; or a stage that is FROM scratch and one ADD
// from the network. A repository has its commit's time; a URL Last-Modified,
// else that of the newest file of an archive; directories and images have none.
// nullopt: no time. Throws
// UsageError for anything else, parser::SyntaxError for another kind of stage,
// registry errors.
std::optional<std::int64_t> resolve_epoch(const std::string& text,
                                          const parser::ParsedFile& file,
                                          const BuildArgs& build_args,
                                          const GlobalScope& scope,
                                          Contexts& contexts);

}  // namespace cbuild::builder
