#include "builder/build.h"

#include "builder/check.h"
#include "builder/checks.h"
#include "builder/contexts.h"
#include "builder/engine.h"
#include "builder/failures.h"
#include "builder/located.h"
#include "builder/planner.h"
#include "builder/publish.h"
#include "builder/reporter.h"
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
  BuildSources sources(request, environment);
  const DockerfileText& file = sources.file;
  Reporter reporter(environment.progress);

  return located(file, [&] {
    // Syntax errors surface here, before any network or disk access.
    const parser::ParsedFile parsed = parser::parse(file.text);

    // Resolves stages, drops those the target does not need, expands all words.
    Checks checks(check_config(request, file.text));
    const TellFindings at_end(checks, file, reporter);
    check_file(parsed, checks);
    const Plan plan =
        make_plan(request, environment, file, parsed, sources.contexts, checks);

    // From here on the plan is immutable; only results grow.
    reporter.plan(plan, file.text);
    Tarballs tarballs(environment.store,
                      {.compression = request.compression,
                       .fast = request.fast_compression,
                       .threads = std::thread::hardware_concurrency()});
    Engine engine(plan, request, environment, sources.remotes, reporter,
                  [&](const store::LayerId& layer) { tarballs.start(layer); });
    run_steps(engine, plan, file);
    sources.contexts.save();
    reporter.skip_rest();

    // Every layer exists. What remains is JSON, hashing and names.
    const Published published =
        publish(plan, engine, tarballs, request, environment.store);
    reporter.summary(engine.executed(), engine.cached(), tarballs.written());
    return BuildResult{.manifest = published.manifest,
                       .config = published.config,
                       .executed = engine.executed(),
                       .cached = engine.cached()};
  });
}

}  // namespace cbuild::builder
