#include "builder/plan_view.h"

#include "builder/checks.h"
#include "builder/contexts.h"
#include "builder/located.h"
#include "builder/plan_graph.h"
#include "builder/plan_print.h"
#include "builder/planner.h"
#include "parser/dump.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

std::string shown(const Plan& plan, const std::string& text, PlanForm form) {
  switch (form) {
    case PlanForm::plan:
      return plan_text(plan, text);
    case PlanForm::dot:
      return plan_dot(graph_of(plan, text));
    case PlanForm::svg:
      return plan_svg(graph_of(plan, text));
  }
  return "";
}

}  // namespace

std::string print_tree(const BuildRequest& request,
                       PlanEnvironment& environment) {
  BuildSources sources(request, environment);
  const DockerfileText& file = sources.file;
  return located(
      file, [&] { return parser::dump(parser::parse(file.text), file.text); });
}

std::string print_plan(const BuildRequest& request,
                       PlanEnvironment& environment, PlanForm form) {
  BuildSources sources(request, environment);
  const DockerfileText& file = sources.file;
  return located(file, [&] {
    const parser::ParsedFile parsed = parser::parse(file.text);
    Checks checks({});
    const Plan plan =
        make_plan(request, environment, file, parsed, sources.contexts, checks);
    return shown(plan, file.text, form);
  });
}

}  // namespace cbuild::builder
