// The stages of a Dockerfile and how they depend on each other.
//
// Base names are expanded here (global ARGs only), FROM, COPY --from and
// RUN --mount=from= are resolved to stages or to images of their own, and
// ONBUILD triggers are put in front of the instructions they apply to. A source
// that is no stage becomes a node with `image_only` set, as in BuildKit, so
// that every dependency is an index.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "builder/outline.h"
#include "builder/variables.h"
#include "parser/ast.h"
#include "store/platform.h"

namespace cbuild::builder {

using StageIndex = std::size_t;

// An instruction of a stage with the stages its files come from.
struct StageCommand {
  parser::Instruction instruction;
  bool onbuild = false;  // put here by a trigger
  // COPY --from: one; RUN: one for each --mount (nullopt: no `from`).
  std::vector<std::optional<StageIndex>> sources;
};

struct StageNode {
  std::string name;         // as AS says, lower case, or empty
  std::string display;      // name, or "stage-3"; empty in a file of one stage
  std::string base;         // expanded base name
  std::string description;  // the doc comment above FROM
  std::set<std::string> from_variables;  // what FROM is made of
  parser::Span span;       // of FROM, or of the word that names the image
  parser::Span base_span;  // of the base's name
  std::optional<store::Platform> platform;  // FROM --platform
  std::optional<StageIndex> base_stage;
  bool image_only = false;  // a source that is an image, no stage
  bool replaced = false;    // a --build-context of this name takes its place
  std::vector<StageCommand> commands;
  std::set<StageIndex> dependencies;  // without base_stage
};

struct GlobalScope {
  Variables variables;   // platform words and global ARGs
  StageOutline outline;  // of the global ARGs
  char escape = '\\';
};

class StageGraph {
 public:
  // Throws parser::SyntaxError (not located) for what BuildKit refuses: blank
  // base names, bad platforms, unknown indexes, variables in --from, cycles.
  // `contexts`: names of --build-context. `on_from` is called for each stage
  // before its FROM is expanded.
  StageGraph(const parser::ParsedFile& file, const GlobalScope& scope,
             const std::set<std::string>& contexts,
             const std::function<void(const parser::Stage&)>& on_from);

  const std::deque<StageNode>& nodes() const { return nodes_; }
  StageNode& node(StageIndex index) { return nodes_[index]; }

  // The stage of this name, whatever its case.
  std::optional<StageIndex> find(const std::string& name) const;

  // The stage to build; empty name: the last one. Throws UsageError with a
  // suggestion where there is none.
  StageIndex target(const std::string& name) const;

  // The target, its bases and dependencies, in file order.
  std::set<StageIndex> reachable_from(StageIndex target) const;

  // Parses triggers and puts them in front of the stage's instructions. Returns
  // true if they added dependencies.
  bool add_triggers(StageIndex stage, const std::vector<std::string>& triggers);

 private:
  StageCommand resolve(parser::Instruction instruction);
  std::optional<StageIndex> copy_source(const parser::Copy& copy,
                                        parser::Span span);
  StageIndex mount_source(const std::string& from, parser::Span span);
  StageIndex add_image(const std::string& base, parser::Span span);
  void register_name(StageIndex index);
  void add_dependencies(StageNode& node, const StageCommand& command);
  void check_cycles() const;
  parser::SyntaxError circle(const std::vector<StageIndex>& path) const;

  std::deque<StageNode> nodes_;  // a deque: growing keeps references valid
  std::map<std::string, StageIndex> by_name_;
  char escape_;
};

}  // namespace cbuild::builder
