#include "builder/build.h"

#include <algorithm>

#include "base/cgroups.h"
#include "base/text.h"
#include "builder/check.h"
#include "builder/checks.h"
#include "builder/contexts.h"
#include "builder/engine.h"
#include "builder/explain.h"
#include "builder/failures.h"
#include "builder/frontend.h"
#include "builder/located.h"
#include "builder/planner.h"
#include "builder/publish.h"
#include "builder/remote_cache.h"
#include "builder/reporter.h"
#include "builder/share.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

// What the checks found is told at the end, whether the build works or not.
class TellFindings {
 public:
  TellFindings(const Checks& checks, const DockerfileText& file,
               Reporter& reporter)
      : checks_(checks), file_(file), reporter_(reporter) {}
  ~TellFindings() {
    const std::vector<Finding>& findings = checks_.findings();
    if (findings.empty()) return;
    reporter_.message(std::to_string(findings.size()) +
                      (findings.size() == 1 ? " warning" : " warnings") +
                      " found (`cbuild check` shows the lines):");
    for (const Finding& finding : findings) {
      const std::size_t line = lines_of(file_.text, finding.span).first;
      reporter_.warning(finding.rule + ": " + finding.message + " (line " +
                        std::to_string(line) + ")");
    }
  }
  TellFindings(const TellFindings&) = delete;
  TellFindings& operator=(const TellFindings&) = delete;

 private:
  const Checks& checks_;
  const DockerfileText& file_;
  Reporter& reporter_;
};

void check_expected_stages(const BuildRequest& request, const Plan& plan) {
  if (!request.expect_cached) return;
  std::vector<std::string> known;
  for (const Step& step : plan.steps) known.push_back(to_lower(step.stage));
  for (const std::string& stage : *request.expect_cached)
    if (std::find(known.begin(), known.end(), to_lower(stage)) == known.end())
      throw UsageError("--expect-cached=" + stage +
                       ": this build has no step of such a stage" +
                       did_you_mean(stage, known));
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
                    e.code(), e.kept());
  } catch (Error& e) {
    if (place()) tell_place(e, file, *place());
    throw;
  }
}

// What a build is made with, all the way.
struct Workshop {
  const BuildRequest& request;
  BuildEnvironment& environment;
  const DockerfileText& file;
  Contexts& contexts;
  Reporter& reporter;
  RemoteSources& remotes;
  RemoteCache& cache;
};

// Runs the steps; what ran or failed is explained.
void run_explained(Engine& engine, Explainer& explainer, const Plan& plan,
                   const Workshop& shop) {
  try {
    run_steps(engine, plan, shop.file);
  } catch (const UnexpectedMiss& e) {
    throw UnexpectedMiss(
        std::string(e.what()) + "\n  because: " +
        join(explainer.reasons(engine, *engine.failed()), "\n  and:     "));
  } catch (const LostLayer&) {
    throw;
  } catch (const Error&) {
    explainer.finish(engine);
    throw;
  }
}

void send_records(const Plan& plan, const Engine& engine,
                  const Tarballs& tarballs, const Workshop& shop) {
  for (const bool max : {false, true})
    if (shop.cache.sends(max))
      shop.cache.send(shared_records(plan, engine, shop.environment.store,
                                     tarballs.options(), max),
                      max);
}

BuildResult run_plan(const Plan& plan, const Workshop& shop) {
  store::Store& store = shop.environment.store;
  shop.reporter.plan(plan, shop.file.text);
  Tarballs tarballs(
      store,
      {.compression = shop.request.compression,
       .fast = shop.request.fast_compression,
       .threads = usable_cpus()},
      [&](const store::LayerBlob& blob) { shop.cache.send_soon(blob); });
  Engine engine(plan, shop.request, shop.environment, shop.remotes, shop.cache,
                shop.reporter,
                [&](const store::LayerId& layer) { tarballs.start(layer); });
  Explainer explainer(plan, shop.request,
                      trace_name(shop.request, shop.file.path), shop.file.text,
                      store);
  run_explained(engine, explainer, plan, shop);
  shop.contexts.save();
  shop.reporter.skip_rest();

  // Every layer exists. What remains is JSON, hashing and names.
  const Published published =
      publish(plan, engine, tarballs, shop.request, store);
  send_records(plan, engine, tarballs, shop);
  std::vector<StepReport> steps = explainer.finish(engine);
  const std::string first = explainer.first_rebuilt(steps);
  if (!first.empty()) shop.reporter.message("first rebuilt: " + first);
  shop.reporter.summary(engine.executed(), engine.cached(), tarballs.written());
  return BuildResult{.manifest = published.manifest,
                     .config = published.config,
                     .executed = engine.executed(),
                     .cached = engine.cached(),
                     .steps = std::move(steps)};
}

}  // namespace

BuildResult build(const BuildRequest& request, BuildEnvironment& environment) {
  BuildSources sources(request, environment);
  const DockerfileText& file = sources.file;
  Reporter reporter(environment.progress);
  RemoteCache cache(request, environment, reporter);

  return located(file, [&] {
    // Syntax errors surface here, before any network or disk access.
    const parser::ParsedFile parsed = parser::parse(file.text);
    const std::string frontend = other_frontend(request, parsed);
    if (!frontend.empty())
      reporter.warning("# syntax=" + frontend +
                       " is not run: the file is read as docker/dockerfile:1");

    // Resolves stages, drops those the target does not need, expands all words.
    Checks checks(check_config(request, file.text));
    const TellFindings at_end(checks, file, reporter);
    check_file(parsed, checks);
    const Plan plan =
        make_plan(request, environment, file, parsed, sources.contexts, checks);
    check_expected_stages(request, plan);

    // From here on the plan is immutable; only results grow.
    const Workshop shop{request,  environment,     file, sources.contexts,
                        reporter, sources.remotes, cache};
    try {
      return run_plan(plan, shop);
    } catch (const LostLayer& e) {
      reporter.warning(std::string(e.what()) + "; building it here");
      cache.stop_reading();
    }
    return run_plan(plan, shop);
  });
}

}  // namespace cbuild::builder
