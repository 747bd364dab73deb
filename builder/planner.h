// Makes the plan: follows the stages the target needs, instruction by
// instruction, and turns each into a step or a change of the config.
//
//   planner.cc    stages: base images, triggers, order
//   plan_stage.cc one stage: the instructions that only change the config
//   plan_run.cc   RUN and its mounts
//   plan_copy.cc  COPY and ADD
//   plan_checks.cc, plan_outline.cc  what is said of the file on the way
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "builder/base_images.h"
#include "builder/build.h"
#include "builder/checks.h"
#include "builder/checks_own.h"
#include "builder/contexts.h"
#include "builder/outline.h"
#include "builder/plan.h"
#include "builder/scope.h"
#include "builder/stage_graph.h"

namespace cbuild::builder {

// What a stage has become so far.
struct StageState {
  bool planned = false;
  bool triggers_added = false;
  bool spoiled = false;  // its variables are unknown: an ARG or ENV is wrong
  std::optional<ImageStep> base_image;
  store::Platform platform;
  store::ImageConfig image;
  Variables variables;
  // ARGs in order of declaration, with their values.
  std::vector<std::pair<std::string, std::optional<std::string>>> args;
  std::optional<StepId> top;
  std::optional<FileOrigin> context;  // the stage is a named context
  // Where CMD, ENTRYPOINT and HEALTHCHECK last stood in this stage.
  std::optional<parser::Span> cmd_at;
  std::optional<parser::Span> entrypoint_at;
  std::optional<parser::Span> healthcheck_at;
  bool workdir_set = false;  // a WORKDIR stood here or in a base stage
  std::string unknown_base;  // judging: the image whose config is not here
  StageOutline outline;
  std::vector<Brought> brought;  // by this stage, for FilesStoredTwice
  std::size_t step_number = 0;   // of the display names
  std::size_t step_total = 0;
};

struct PlanOptions {
  // The plan is not for building: nothing is refused for lack of means or
  // permission, the platform is the builder's, and a base image that is not
  // here is not asked for (but with request.pull).
  bool judge = false;
  bool all_stages = false;  // judge those too that the target does not need
};

class Planner {
 public:
  Planner(const BuildRequest& request, PlanEnvironment& environment,
          const parser::ParsedFile& file, Contexts& contexts, Checks& checks,
          PlanOptions options = {});

  // Throws parser::SyntaxError (not located; mistakes of all instructions that
  // can be judged, BuildKit's first), UsageError, registry errors.
  Plan make();

  // Where make() failed, if it was no mistake of the Dockerfile.
  const std::optional<parser::Span>& failed_at() const { return failed_at_; }
  // After make().
  Outline outline();
  // Images whose configuration was not here and would have counted.
  const std::set<std::string>& missed_images() const { return missed_images_; }

 private:
  void read_epoch(const parser::ParsedFile& file);
  GlobalScope make_scope(const parser::ParsedFile& file);
  std::set<StageIndex> wanted() const;
  void check_base_name(const StageNode& node, const std::string& name) const;
  void check_platform(const StageNode& node, const StageState& state);
  void resolve_bases();
  void resolve_base(StageIndex index);
  void load_image(StageIndex index, const std::string& name);
  std::vector<std::string> stage_names() const;
  bool add_triggers(StageIndex index);
  void plan_stages();
  void plan_stage(StageIndex index);
  void plan_next(StageIndex index, const StageCommand& command);
  void inherit(StageIndex index);
  void enter_base_config(StageState& state);
  void finish_platform(store::ImageConfig& image) const;

  struct PlanInstruction;
  void plan_command(StageIndex index, const StageCommand& command);
  void plan_arg(StageState& state, const parser::Arg& arg);
  // Refuses names where nothing tells their numbers.
  void check_owner(const std::string& owner, parser::Span span) const;
  void plan_workdir(StageIndex index, const StageCommand& command,
                    const parser::Workdir& workdir);
  void plan_expose(StageState& state, const parser::Expose& expose);
  void plan_run(StageIndex index, const StageCommand& command,
                const parser::Run& run);
  RunStep run_step(StageIndex index, const StageCommand& command,
                   const parser::Run& run);
  void run_command(StageState& state, const parser::Run& run, RunStep& step);
  void run_options(const parser::Run& run, parser::Span span, RunStep& step);
  void add_device(const parser::Word& word, RunStep& step);
  void place_ssh_mount(RunStep& step, std::size_t number, MountStep& mount);
  MountStep run_mount(StageIndex index, const StageCommand& command,
                      std::size_t number, const parser::Run& run);
  void plan_copy(StageIndex index, const StageCommand& command,
                 const parser::Copy& copy);
  CopySpec copy_spec(StageState& state, const parser::Copy& copy);
  FileOrigin origin_of(StageIndex source);

  std::string expand(const StageState& state, const parser::Word& word);
  std::string expand_body(const StageState& state,
                          const parser::Heredoc& heredoc);
  void check_unset(const StageState& state, const std::set<std::string>& unset);
  void check_once(std::optional<parser::Span>& last);
  void check_json_form(const StageState& state, const parser::Command& command);
  void check_pairs(const std::vector<parser::KeyValue>& pairs);
  void check_ignored(const parser::Copy& copy, const CopyStep& step);
  void check_secret(const char* instruction, const std::string& name);
  void check_port(const std::string& word);
  void check_run(StageState& state, const parser::Run& run,
                 const RunStep& step);
  void note_copy(StageState& state, const CopySpec& spec);
  void check_stage_args(StageIndex index);
  std::string display_name(StageIndex index, const StageCommand& command,
                           bool raw_quotes);
  StepId add_step(StageIndex index, Step step);
  std::size_t count_steps(StageIndex index) const;
  bool no_cache(const StageNode& node) const;

  const BuildRequest& request_;
  const PlanOptions options_;
  PlanEnvironment& environment_;
  Contexts& contexts_;
  Checks& checks_;
  const StageCommand* current_ = nullptr;  // the instruction being planned
  store::Platform build_platform_;
  store::Platform target_platform_;
  BuildArgs build_args_;
  GlobalScope scope_;
  std::vector<std::string> from_names_;  // what FROM may name
  StageGraph graph_;
  BaseImages bases_;
  std::vector<StageState> states_;
  StageIndex target_;
  std::optional<parser::Span> failed_at_;
  std::set<std::string> missed_images_;
  std::vector<parser::Diagnostic> mistakes_;
  Plan plan_;
};

// A Planner's plan. Failures are told with their place in `file`, mistakes
// (parser::SyntaxError) are not located yet.
Plan make_plan(const BuildRequest& request, PlanEnvironment& environment,
               const DockerfileText& file, const parser::ParsedFile& parsed,
               Contexts& contexts, Checks& checks);

// argv and ARG values of a RUN as history shows them: |1 A=b /bin/sh -c make.
std::string run_history(const std::vector<std::string>& argv,
                        const StageState& state);

}  // namespace cbuild::builder
