// The plan as text, for people and goldens.
//
//   (plan
//     (stage "build"
//       (step 0 from "docker.io/library/golang:1.22" :line 1)
//       (step 1 copy "go.mod" "/src/" :line 2 :on 0 :from context)
//       (step 2 run "/bin/sh" "-c" "make" :line 3 :on 1 :cwd "/src"))
//     (image :top 2 :env "PATH=..." :cmd "app"))
//
// Everything is expanded. `:on` is the step whose files are below, `:from`
// where files are taken from: a step, the build context, or a named one. What
// has its default is left out. The format may change with the plan; nothing
// reads it back.
#pragma once

#include <string>
#include <string_view>

#include "builder/plan.h"

namespace cbuild::builder {

// `text` is the Dockerfile's: spans are shown as lines.
std::string plan_text(const Plan& plan, std::string_view text);

}  // namespace cbuild::builder
