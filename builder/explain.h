// Why a step was not cached: what is different from the last time.
//
// Compared with the same step of the last build of the Dockerfile (its trace);
// where there is none and the request asks for explanations, with the nearest
// record in the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/build_trace.h"
#include "builder/engine.h"
#include "builder/plan.h"
#include "parser/line_table.h"

namespace cbuild::builder {

class Explainer {
 public:
  Explainer(const Plan& plan, const BuildRequest& request,
            const TraceName& name, const std::string& dockerfile,
            store::Store& store);

  // For a step that has to run: what differs, the first first. Never empty.
  std::vector<std::string> reasons(const Engine& engine, StepId id);

  // "[build 3/5] RUN make: ARG GIT_SHA "a" -> "b"" of the first step that was
  // rebuilt; empty where none was, or nothing is known to compare with.
  std::string first_rebuilt(const std::vector<StepReport>& steps) const;

  // How every step ended; kept as the last build's trace.
  std::vector<StepReport> finish(const Engine& engine);

 private:
  const TracedStep* earlier(StepId id);
  const TracedStep* nearest_record(const Engine& engine, StepId id);
  std::string clause(const Engine& engine, StepId id, const std::string& name,
                     const std::vector<std::string>& before,
                     const std::vector<std::string>& now);
  std::string below_clause(const Engine& engine, StepId id);
  std::string base_clause(const Step& image, const TracedStep* before) const;
  std::string files_clause(const Engine& engine, StepId id,
                           const std::string& name, const std::string& before,
                           const std::string& now);
  TracedStep traced(const Engine& engine, const Step& step);

  const Plan& plan_;
  const BuildRequest& request_;
  TraceName name_;
  parser::LineTable lines_;  // of the Dockerfile
  store::Store& store_;
  Traces traces_;
  std::vector<TracedStep> before_;
  std::optional<std::vector<TracedStep>> records_;  // once looked at
};

}  // namespace cbuild::builder
