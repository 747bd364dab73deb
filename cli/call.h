// Requests that look at a Dockerfile instead of building it: --call, --check
// and `cbuild check`.
#pragma once

#include <optional>
#include <string>

#include "builder/build.h"
#include "cli/command.h"

namespace cbuild::cli {

struct Call {
  enum class What { check, outline, targets } what = What::check;
  std::string format = "text";  // text, json; of check also sarif and github
  bool ignore_status = false;   // findings do not count for the exit status
};

// From --call=NAME[,format=...][,ignorestatus=true] and --check; nullopt:
// build. Throws UsageError.
std::optional<Call> read_call(const Arguments& arguments);

// Prints the result. Throws ExitStatus with 1 where a check found something and
// what a build would throw where the Dockerfile cannot be built.
void run_call(Session& session, const builder::BuildRequest& request,
              const Call& call);

}  // namespace cbuild::cli
