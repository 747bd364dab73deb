// What `cbuild build --print` and `cbuild graph` show: a build that stops when
// its plan is made.
#pragma once

#include <string>

#include "builder/build.h"

namespace cbuild::builder {

enum class PlanForm { plan, dot, svg };

// The tree of the Dockerfile (parser/dump.h). Throws as build() does.
std::string print_tree(const BuildRequest& request,
                       PlanEnvironment& environment);

// The plan as text (plan_print.h), Graphviz text or a picture (plan_graph.h).
// Configs of base images are looked up as for a build, for their triggers and
// variables; nothing is executed.
std::string print_plan(const BuildRequest& request,
                       PlanEnvironment& environment, PlanForm form);

}  // namespace cbuild::builder
