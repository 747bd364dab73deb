// cbuild graph, and build --print.
#include "cli/graph_command.h"

#include "base/dir.h"
#include "base/text.h"
#include "builder/plan_view.h"
#include "cli/build_flags.h"
#include "cli/output.h"
#include "cli/quiet_surroundings.h"
#include "cli/result_file.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

constexpr Flag kTable[] = {
    {"Picture", "-o,--output", Takes::one, "FILE",
     "Where to draw: FILE.svg, FILE.dot for Graphviz text, or - for an SVG on "
     "standard output (default)"},
};
const FlagTable kGraphFlags = {
    {kTable, kSourceFlags, kRegistryFlags, kGlobalFlags}};

std::string planned(Session& session, const builder::BuildRequest& request,
                    builder::PlanForm form) {
  QuietSurroundings surroundings(session);
  return builder::print_plan(request, surroundings.environment, form);
}

builder::PlanForm form_of(const std::string& file) {
  if (file.ends_with(".dot") || file.ends_with(".gv"))
    return builder::PlanForm::dot;
  if (file == "-" || file.ends_with(".svg")) return builder::PlanForm::svg;
  refuse_value("output", file, "want a name that ends in .svg or .dot, or -");
}

void run_graph(Session& session) {
  const std::string file = session.args().value("output", "-");
  const builder::PlanForm form = form_of(file);
  const std::string picture =
      planned(session, source_request(session.args()), form);
  if (file == "-") return print(picture);
  write_result_file(file, [&](int fd) { write_all(fd, picture, file); });
}

}  // namespace

std::string printed(Session& session, const builder::BuildRequest& request,
                    const std::string& form) {
  if (form == "ast") {
    QuietSurroundings surroundings(session);
    return builder::print_tree(request, surroundings.environment);
  }
  if (form == "plan") return planned(session, request, builder::PlanForm::plan);
  if (form == "dot") return planned(session, request, builder::PlanForm::dot);
  refuse_value(
      "print", form,
      "want ast, plan or dot" + did_you_mean(form, {"ast", "plan", "dot"}));
}

const Command kGraphCommand = {
    "graph",
    "[OPTIONS] CONTEXT",
    "Draw what a build would do: its stages, steps and what they need",
    R"(Nothing is built. Base images are looked up, since their triggers and
variables count. A box is a step; its whole text is in its tooltip.

Examples:
  cbuild graph -o plan.svg .
  cbuild graph --target test --build-arg V=2 -o plan.dot .
  cbuild build --print=plan .       the same as text
)",
    kGraphFlags,
    1,
    1,
    run_graph,
};

}  // namespace cbuild::cli
