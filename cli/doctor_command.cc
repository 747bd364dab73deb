// cbuild doctor: what this place allows, and what would allow more.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "runtime/diagnosis.h"
#include "runtime/overlay.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--format", Takes::one, "FORMAT", "json, or nothing for text"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

// Where the store is, or will be: the nearest directory that is there and can
// be written to.
std::string place_of_store(const Arguments& arguments) {
  std::string path = arguments.value("root");
  if (path.empty()) path = store::default_root();
  while (path.size() > 1 && ::access(path.c_str(), W_OK) == -1) {
    const std::size_t slash = path.rfind('/');
    path = slash == std::string::npos ? "." : path.substr(0, slash);
  }
  return path.empty() || ::access(path.c_str(), W_OK) == -1 ? "/tmp" : path;
}

std::string as_json(const runtime::Diagnosis& diagnosis) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const runtime::Finding& finding : diagnosis.findings)
    findings.push_back({{"name", finding.name},
                        {"allowed", finding.allowed},
                        {"detail", finding.detail},
                        {"remedy", finding.remedy}});
  const nlohmann::ordered_json json = {{"version", 1},
                                       {"isolation", diagnosis.rung},
                                       {"canRun", diagnosis.can_run},
                                       {"text", diagnosis.text},
                                       {"findings", findings}};
  return json.dump(2) + "\n";
}

std::string as_text(const runtime::Diagnosis& diagnosis) {
  std::string text;
  for (const runtime::Finding& finding : diagnosis.findings) {
    std::string name = finding.name;
    name.resize(17, ' ');
    text +=
        (finding.allowed ? "yes  " : "no   ") + name + finding.detail + "\n";
    if (!finding.remedy.empty())
      text += std::string(22, ' ') + "to allow: " + finding.remedy + "\n";
  }
  return text + diagnosis.text + "\n";
}

void run_doctor(Session& session) {
  const std::string format = session.args().value("format");
  if (!format.empty() && format != "json")
    throw UsageError("invalid format " + go_quote(format) + ": want json");
  const runtime::Diagnosis diagnosis =
      runtime::diagnose(place_of_store(session.args()));
  print(format == "json" ? as_json(diagnosis) : as_text(diagnosis));
  if (!diagnosis.can_run)
    throw runtime::IsolationError("no RUN is possible here");
}

}  // namespace

const Command kDoctorCommand = {
    "doctor",
    "[OPTIONS]",
    "Say what RUN steps may do here, and what would allow more",
    R"(Each thing that a build wants is tried: namespaces, mounts, overlayfs on the
store's file system, devices, attributes. What is refused comes with the line
that would allow it. The exit status is 7 where no RUN is possible.

Examples:
  cbuild doctor
  cbuild doctor --format json
)",
    kTable,
    0,
    0,
    run_doctor,
};

}  // namespace cbuild::cli
