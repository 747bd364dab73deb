// Which sources of an ADD come from the network, and what they are.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "builder/copy_files.h"
#include "builder/remote_source.h"
#include "parser/ast.h"
#include "parser/source.h"

namespace cbuild::builder {

// By number of the source. `spec` has the expanded sources, `checksum` is what
// --checksum says. Throws parser::SyntaxError with BuildKit's words for what
// COPY cannot take, for flags that do not fit, and for bad git references
// (dockerfile2llb/convert_copy.go).
std::map<std::size_t, RemoteSource> remote_sources(const parser::Copy& copy,
                                                   const CopySpec& spec,
                                                   const std::string& checksum,
                                                   parser::Span span);

}  // namespace cbuild::builder
