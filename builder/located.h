// Mistakes with their place in a Dockerfile.
#pragma once

#include <utility>

#include "builder/contexts.h"
#include "parser/source.h"

namespace cbuild::builder {

// Runs `body`; a parser::SyntaxError that leaves it names file, line and text.
template <typename Body>
auto located(const DockerfileText& file, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const parser::SyntaxError& e) {
    throw e.located(file.name, file.text);
  }
}

}  // namespace cbuild::builder
