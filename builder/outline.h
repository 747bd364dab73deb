// What a target can be given: build arguments, secrets and SSH sockets
// (BuildKit's frontend.outline; dockerfile2llb/outline.go).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "parser/ast.h"

namespace cbuild::builder {

struct OutlineArg {
  std::string name;
  std::string value;           // as expanded; empty where there is none
  std::string description;     // the doc comment
  parser::Span span;           // of its instruction
  std::set<std::string> uses;  // global ARGs its default is made of
};

// A secret or an SSH socket, where it is first asked for.
struct OutlineMount {
  std::string name;
  bool required = false;
  parser::Span span;
};

// What one stage says itself, by name.
struct StageOutline {
  std::map<std::string, OutlineArg> args;
  std::set<std::string> used;  // of `args`, and of what is predefined
  std::map<std::string, OutlineMount> secrets;
  std::map<std::string, OutlineMount> ssh;

  // Adds to `used` what the used ones are made of.
  void close();
};

// In the order of the file.
struct Outline {
  std::string name;
  std::string description;
  std::vector<OutlineArg> args;
  std::vector<OutlineMount> secrets;
  std::vector<OutlineMount> ssh;
};

}  // namespace cbuild::builder
