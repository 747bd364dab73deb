// Failures that are no mistake of the Dockerfile but have a place in it: a base
// image that is not there, a file that COPY does not find.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "builder/contexts.h"
#include "parser/source.h"

namespace cbuild::builder {

// Puts place and source text around the message, as parser::render() does. The
// error keeps its class, and with it the exit code.
void tell_place(Error& error, const DockerfileText& file, parser::Span span);

// " (did you mean alpine?)" for an image that was not found: one of the
// Dockerfile's stages or an image that many use; or nothing.
std::string suggest_image(const std::string& name,
                          std::vector<std::string> stages);

}  // namespace cbuild::builder
