// Renderers of a build's events, on standard error.
//
//   plain   BuildKit's form: "#5 [build 2/5] RUN make", "#5 0.123 text"
//   tty     finished steps scroll up, running ones are drawn over in place
//   json    an object a line (docs/progress-json.md)
//   github, gitlab   plain, in the groups that these services fold
//   quiet   nothing
//
// Every member may be called by any thread. Failures to write are not errors:
// the image matters more than the report of its making.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "builder/progress.h"
#include "registry/client.h"

namespace cbuild::cli {

enum class ProgressKind { tty, plain, json, github, gitlab, quiet };

class Renderer : public builder::ProgressSink {
 public:
  // A transfer that belongs to `subject`, an image's name.
  virtual void transfer(const std::string& subject,
                        const registry::TransferProgress& progress) = 0;
  // Called once when the build is over, whether it worked or not: puts the
  // terminal in order.
  virtual void finish() = 0;
};

// From --progress, CBUILD_PROGRESS or BUILDKIT_PROGRESS ("" or auto: tty where
// standard error is a terminal). Throws UsageError for an unknown word.
ProgressKind progress_kind(const std::string& word, bool quiet);

// `dockerfile` is the name for places in it.
std::unique_ptr<Renderer> make_renderer(ProgressKind kind,
                                        const std::string& dockerfile = "");

std::unique_ptr<Renderer> make_plain_renderer();
std::unique_ptr<Renderer> make_tty_renderer();
std::unique_ptr<Renderer> make_json_renderer();
std::unique_ptr<Renderer> make_github_renderer(std::string dockerfile);
std::unique_ptr<Renderer> make_gitlab_renderer();

// "run", "cached", ...: as docs/progress-json.md names them.
const char* outcome_text(builder::FinishedEvent::Outcome outcome);
// "1.2s", "3m04.5s": as BuildKit prints durations of steps.
std::string step_seconds(std::chrono::nanoseconds wall);
// "built in 1.2s: 3 steps run, 5 cached, 12MB written".
std::string summary_text(const builder::SummaryEvent& event);

}  // namespace cbuild::cli
