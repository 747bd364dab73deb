// COPY and ADD: what is copied, with every word expanded.
#include "base/text.h"
#include "builder/add_source.h"
#include "builder/copy_files.h"
#include "builder/image_config.h"
#include "builder/planner.h"

namespace cbuild::builder {
namespace {

// A heredoc is a file in an empty tree first, where no directory is.
void check_inline_name(const std::string& name, parser::Span span) {
  const std::string path = clean_path("/" + name);
  if (path == "/") throw mistake(span, "open /: is a directory");
  if (path.rfind('/') != 0)
    throw mistake(span, "open " + path +
                            ": no such file or directory: a heredoc's name "
                            "can't be below a directory");
}

std::string history_text(const parser::Copy& copy, const CopySpec& spec,
                         const std::string& destination) {
  std::string text = copy.add ? "ADD" : "COPY";
  if (spec.parents) text += " --parents";
  if (!spec.chown.empty()) text += " --chown=" + spec.chown;
  if (!spec.chmod.empty()) text += " --chmod=" + spec.chmod;
  for (const std::string& source : spec.sources) text += " " + source;
  for (const InlineFile& file : spec.inline_files) text += " <<" + file.name;
  return text + " " + destination + " # buildkit";
}

}  // namespace

std::string Planner::expand_body(const StageState& state,
                                 const parser::Heredoc& heredoc) {
  if (!heredoc.expand) return heredoc.content;
  try {
    parser::Expansion body =
        parser::expand(heredoc.content, state.variables.lookup(),
                       {.escape = '\\', .skip_process_quotes = true});
    check_unset(state, body.unset);
    return std::move(body.text);
  } catch (const parser::ExpandError& e) {
    check_unset(state, e.unset);
    throw unexpandable({heredoc.content, current_->instruction.span}, e);
  }
}

void Planner::check_owner(const std::string& owner, parser::Span span) const {
  const std::string wrong = unresolvable_owner(owner);
  if (!wrong.empty() && !options_.judge) throw mistake(span, wrong);
}

CopySpec Planner::copy_spec(StageState& state, const parser::Copy& copy) {
  CopySpec spec;
  spec.add = copy.add;
  if (copy.chown) spec.chown = expand(state, *copy.chown);
  if (copy.chmod) spec.chmod = expand(state, *copy.chmod);
  for (const parser::Word& word : copy.sources)
    spec.sources.push_back(expand(state, word));
  spec.parents = copy.parents;
  spec.exclude = copy.exclude;
  spec.unpack = copy.unpack;
  return spec;
}

void Planner::plan_copy(StageIndex index, const StageCommand& command,
                        const parser::Copy& copy) {
  StageState& state = states_[index];
  const parser::Span span = command.instruction.span;
  CopyStep node;
  node.spec = copy_spec(state, copy);
  const std::string destination = expand(state, copy.destination);
  for (const parser::Heredoc& heredoc : copy.heredocs) {
    if (!options_.judge) check_inline_name(heredoc.name, span);
    node.spec.inline_files.push_back(
        {heredoc.name, expand_body(state, heredoc)});
  }
  node.spec.destination = normalize_path(
      state.image.config.working_dir,
      destination.empty() || destination == "." ? "./" : destination, true);
  try {
    if (!node.spec.chmod.empty()) ModeChange::parse(node.spec.chmod);
  } catch (const Error& e) {
    throw mistake(copy.chmod->span, e.what());
  }
  node.remotes =
      remote_sources(copy, node.spec,
                     copy.checksum ? expand(state, *copy.checksum) : "", span);
  note_copy(state, node.spec);
  if (!command.onbuild)
    for (const parser::Word& word : copy.sources)
      node.places.push_back(word.span);
  node.link = copy.link && node.spec.chmod.empty();
  if (node.link || !state.top) check_owner(node.spec.chown, span);
  if (!command.sources.empty() && command.sources.front()) {
    const StageIndex source = *command.sources.front();
    if (!states_[source].planned)
      throw mistake(copy.from_span,
                    "cannot copy from stage " + go_quote(copy.from) +
                        ", it needs to be defined before current stage " +
                        go_quote(graph_.nodes()[index].display));
    node.origin = origin_of(source);
  } else if (node.remotes.size() < node.spec.sources.size()) {
    node.origin = contexts_.main();
    check_ignored(copy, node);
  }
  add_history(state.image, history_text(copy, node.spec, destination), false);
  Step step;
  step.span = span;
  step.name = display_name(index, command, false);
  step.node = std::move(node);
  state.top = add_step(index, std::move(step));
}

}  // namespace cbuild::builder
