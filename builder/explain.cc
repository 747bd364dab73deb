#include "builder/explain.h"

#include <algorithm>

#include "base/text.h"
#include "builder/input_changes.h"

namespace cbuild::builder {
namespace {

using Outcome = StepReport::Outcome;

// Where in its stage, and the instruction: "[build 2/5] RUN make" in two.
std::pair<std::string, std::string> halves(const std::string& name) {
  const std::size_t end = name.find("] ");
  if (end == std::string::npos) return {"", name};
  return {name.substr(0, end + 1), name.substr(end + 2)};
}

std::string keyword(const std::string& name) {
  const std::string text = halves(name).second;
  return text.substr(0, text.find(' '));
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

const char* const kManifest = "manifest";  // of a base image; not in its key

}  // namespace

Explainer::Explainer(const Plan& plan, const BuildRequest& request,
                     const TraceName& name, const std::string& dockerfile,
                     store::Store& store)
    : plan_(plan),
      request_(request),
      name_(name),
      lines_(dockerfile),
      store_(store),
      traces_(store.root()),
      before_(traces_.load(name).value_or(std::vector<TracedStep>())) {}

// The same instruction of the same stage, else what stood in its place, else
// the same instruction in another stage.
const TracedStep* Explainer::earlier(StepId id) {
  const Step& step = plan_.steps[id];
  const auto [place, text] = halves(step.name);
  const auto find = [&](auto&& is_it) -> const TracedStep* {
    const auto it = std::find_if(before_.begin(), before_.end(), is_it);
    return it == before_.end() ? nullptr : &*it;
  };
  if (const auto* found = find([&, &text = text](const TracedStep& s) {
        return s.stage == step.stage && halves(s.report.name).second == text;
      }))
    return found;
  if (const auto* found = find([&, &place = place](const TracedStep& s) {
        return halves(s.report.name).first == place &&
               keyword(s.report.name) == keyword(step.name);
      }))
    return found;
  return find([&, &text = text](const TracedStep& s) {
    return halves(s.report.name).second == text;
  });
}

// The record of an equal instruction with the fewest differences.
const TracedStep* Explainer::nearest_record(const Engine& engine, StepId id) {
  if (!request_.explain && !request_.expect_cached) return nullptr;
  if (!records_) {
    records_.emplace();
    for (store::StepRecord& record : store_.steps.list()) {
      TracedStep step;
      step.report.name = std::move(record.title);
      step.inputs = std::move(record.inputs);
      records_->push_back(std::move(step));
    }
  }
  const std::string text = halves(plan_.steps[id].name).second;
  const TracedStep* best = nullptr;
  std::size_t fewest = SIZE_MAX;
  for (const TracedStep& record : *records_) {
    if (halves(record.report.name).second != text) continue;
    if (record.inputs.size() == 1) continue;  // leads to another record
    const std::size_t differences =
        input_changes(record.inputs, engine.inputs(id)).size();
    if (differences == 0) continue;  // the step's own, new one
    if (differences >= fewest) continue;
    best = &record;
    fewest = differences;
  }
  return best;
}

std::string Explainer::base_clause(const Step& image,
                                   const TracedStep* before) const {
  const auto& node = std::get<ImageStep>(image.node);
  const std::string name = node.reference.familiar();
  std::string old;
  if (before != nullptr)
    for (const auto& [input, value] : before->inputs)
      if (input == kManifest) old = value;
  const std::string now = node.image.descriptor.digest.text();
  if (old.empty() || old == now) return "base image " + name + " is another";
  return "base image " + name + " " + old.substr(0, 19) + " -> " +
         now.substr(0, 19);
}

std::string Explainer::below_clause(const Engine& engine, StepId id) {
  const auto parent = plan_.steps[id].parent;
  if (!parent) return "it stands on nothing now";
  const Step& below = plan_.steps[*parent];
  if (std::holds_alternative<ImageStep>(below.node))
    return base_clause(below, earlier(*parent));
  if (engine.outcome(*parent) == Outcome::rebuilt)
    return "what it stands on was rebuilt: " + below.name;
  return "it stands on something else: " + below.name;
}

std::string Explainer::files_clause(const Engine& engine, StepId id,
                                    const std::string& name,
                                    const std::string& before,
                                    const std::string& now) {
  const std::size_t mounted = name.find(" files ");
  const std::string where =
      mounted == std::string::npos ? "" : name.substr(0, mounted) + ": ";
  if (!store::Digest::try_parse(now) || !store::Digest::try_parse(before))
    return change_text(where + "source", {before}, {now});
  const auto old = traces_.listing(before);
  const auto current = engine.listings(id).find(now);
  const bool both = old && current != engine.listings(id).end();
  const auto clauses =
      both ? current->second.changes_since(*old) : std::vector<std::string>();
  if (clauses.empty()) return where + "the files it takes";
  return where + join(clauses, "; ");
}

std::string Explainer::clause(const Engine& engine, StepId id,
                              const std::string& name,
                              const std::vector<std::string>& before,
                              const std::vector<std::string>& now) {
  if (name == "below") return below_clause(engine, id);
  if (name == "step") return "another kind of instruction";
  if (name == "heredoc content" || name == "script")
    return change_text("heredoc", before, now);
  if (contains(name, "files ") && before.size() == 1 && now.size() == 1)
    return files_clause(engine, id, name, before[0], now[0]);
  if (name.starts_with("env ")) {
    const std::string variable = name.substr(4);
    const auto* run = std::get_if<RunStep>(&plan_.steps[id].node);
    const bool arg = run != nullptr && run->arg_names.contains(variable);
    return change_text((arg ? "ARG " : "ENV ") + variable, before, now);
  }
  return change_text(name, before, now);
}

std::vector<std::string> Explainer::reasons(const Engine& engine, StepId id) {
  const Step& step = plan_.steps[id];
  if (engine.forced(id))
    return {step.no_cache ? "--no-cache"
                          : "what it stands on runs again with --no-cache"};
  const TracedStep* old = earlier(id);
  if (old == nullptr || old->inputs.empty()) old = nearest_record(engine, id);
  if (old == nullptr) return {"no earlier build of it is known"};
  std::vector<std::string> reasons;
  for (const InputChange& change :
       input_changes(old->inputs, engine.inputs(id)))
    reasons.push_back(
        clause(engine, id, change.name, change.before, change.now));
  if (reasons.empty()) reasons = {"its result is not kept any more"};
  return reasons;
}

TracedStep Explainer::traced(const Engine& engine, const Step& step) {
  TracedStep traced;
  traced.report.name = step.name;
  traced.report.line = lines_.position(step.span.begin).line;
  traced.report.outcome = engine.outcome(step.id);
  traced.stage = step.stage;
  const Outcome outcome = traced.report.outcome;
  if (outcome == Outcome::rebuilt || outcome == Outcome::failed)
    traced.report.reasons = reasons(engine, step.id);
  if (outcome == Outcome::rebuilt || outcome == Outcome::cached) {
    traced.inputs = engine.inputs(step.id);
    if (const auto* image = std::get_if<ImageStep>(&step.node))
      traced.inputs.emplace_back(kManifest,
                                 image->image.descriptor.digest.text());
  } else if (const TracedStep* old = earlier(step.id)) {
    traced.inputs = old->inputs;
  }
  return traced;
}

std::vector<StepReport> Explainer::finish(const Engine& engine) {
  std::vector<TracedStep> steps;
  std::vector<StepReport> reports;
  for (const Step& step : plan_.steps) {
    steps.push_back(traced(engine, step));
    reports.push_back(steps.back().report);
    if (reports.back().outcome != Outcome::rebuilt) continue;
    for (const auto& [digest, listing] : engine.listings(step.id))
      traces_.save_listing(digest, listing);
  }
  traces_.save(name_, steps);
  return reports;
}

std::string Explainer::first_rebuilt(
    const std::vector<StepReport>& steps) const {
  if (before_.empty()) return "";
  for (const StepReport& step : steps)
    if (step.outcome == Outcome::rebuilt)
      return step.name + ": " + step.reasons.front();
  return "";
}

}  // namespace cbuild::builder
