#include "builder/build.h"

#include "builder/checks.h"
#include "builder/contexts.h"
#include "builder/engine.h"
#include "builder/failures.h"
#include "builder/frontend.h"
#include "builder/planner.h"
#include "builder/publish.h"
#include "builder/reporter.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

// Runs `body`; mistakes found in it are printed with their place in the file.
template <typename Body>
auto located(const DockerfileText& file, Body&& body) {
  try {
    return body();
  } catch (const parser::SyntaxError& e) {
    throw e.located(file.name, file.text);
  }
}

CheckConfig check_config(const BuildRequest& request,
                         const parser::ParsedFile& parsed) {
  std::string options = parsed.directives.check;
  for (const auto& [name, value] : request.build_args)
    if (name == "BUILDKIT_DOCKERFILE_CHECK") options = value.value_or("");
  try {
    return parse_check_options(options);
  } catch (const Error& e) {
    throw UsageError(std::string("failed to parse check options: ") + e.what());
  }
}

std::vector<std::string> rendered(const Checks& checks,
                                  const DockerfileText& file) {
  std::vector<std::string> lines;
  for (const Finding& finding : checks.findings())
    lines.push_back(
        finding.rule + ": " + finding.message + " (line " +
        std::to_string(
            parser::position_of(file.text, finding.span.begin).line) +
        ")");
  return lines;
}

// A failure while a step ran names the step's line; a failed RUN is shown with
// its text.
void run_steps(Engine& engine, const Plan& plan, const DockerfileText& file) {
  const auto place = [&]() -> std::optional<parser::Span> {
    if (!engine.failed()) return std::nullopt;
    return plan.steps[*engine.failed()].span;
  };
  try {
    engine.run();
  } catch (const parser::SyntaxError&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const RunFailed& e) {
    if (!place()) throw;
    throw RunFailed(parser::render(file.name, file.text, *place(), e.what()),
                    e.code());
  } catch (Error& e) {
    if (place()) tell_place(e, file, *place());
    throw;
  }
}

}  // namespace

BuildResult build(const BuildRequest& request, BuildEnvironment& environment) {
  const DockerfileText file = read_dockerfile(request);
  // Prune leaves the store alone while anything is built in it.
  const store::Lease lease = environment.store.lease();
  Contexts contexts(request, file, environment.store.root() + "/contexts");
  Reporter reporter(environment.progress);
  RemoteSources remotes(request, environment);

  return located(file, [&] {
    // Syntax errors surface here, before any network or disk access.
    const parser::ParsedFile parsed = parser::parse(file.text);
    const std::string frontend = other_frontend(request, parsed);
    if (!frontend.empty())
      reporter.warning("# syntax=" + frontend +
                       " is not run: the file is read as docker/dockerfile:1");

    // Resolves stages, drops those the target does not need, expands all words.
    Checks checks(check_config(request, parsed));
    check_file(parsed, checks);
    const Plan plan =
        make_plan(request, environment, file, parsed, contexts, checks);

    // From here on the plan is immutable; only results grow.
    reporter.plan(plan, file.text);
    Tarballs tarballs(environment.store,
                      {.compression = request.compression,
                       .fast = request.fast_compression,
                       .threads = std::thread::hardware_concurrency()});
    Engine engine(plan, request, environment, remotes, reporter,
                  [&](const store::LayerId& layer) { tarballs.start(layer); });
    run_steps(engine, plan, file);
    contexts.save();
    reporter.skip_rest();

    // Every layer exists. What remains is JSON, hashing and names.
    const Published published =
        publish(plan, engine, tarballs, request, environment.store);
    reporter.summary(engine.executed(), engine.cached(), tarballs.written());
    return BuildResult{.manifest = published.manifest,
                       .config = published.config,
                       .warnings = rendered(checks, file),
                       .executed = engine.executed(),
                       .cached = engine.cached()};
  });
}

}  // namespace cbuild::builder
