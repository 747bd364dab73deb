// The build checks by name: BuildKit's (frontend/dockerfile/linter/ruleset.go,
// whose names, descriptions and addresses are an interface that tools read),
// and cbuild's own.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cbuild::builder {

struct CheckRule {
  const char* name;
  const char* description;  // one sentence
  const char* page;         // last part of its address, or ""
  enum class Kind {
    standard,      // on unless skipped
    experimental,  // on with `experimental=`, by name or all
    own,           // cbuild's: on with `experimental=`, by name only
  } kind = Kind::standard;

  // Where the rule is explained, or "".
  std::string url() const;
};

std::span<const CheckRule> check_rules();

// By exact name; nullptr where there is none.
const CheckRule* find_rule(std::string_view name);

}  // namespace cbuild::builder
