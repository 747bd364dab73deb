// cbuild verify: is the store sound?
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "store/verify.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--repair", Takes::nothing, "",
     "Drop what is wrong and make again what can be"},
    {"Options", "--format", Takes::one, "FORMAT", "json, or nothing for text"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

const char* kind_text(store::Problem::Kind kind) {
  switch (kind) {
    case store::Problem::Kind::blob:
      return "blob";
    case store::Problem::Kind::layer:
      return "layer";
    case store::Problem::Kind::record:
      return "record";
    case store::Problem::Kind::name:
      return "image";
    case store::Problem::Kind::reference:
      return "reference";
  }
  return "";
}

std::string json_of(const store::VerifyReport& report) {
  nlohmann::ordered_json json = {{"version", 1},
                                 {"sound", report.sound()},
                                 {"blobs", report.blobs},
                                 {"layers", report.layers},
                                 {"records", report.records},
                                 {"images", report.names},
                                 {"bytes", report.bytes},
                                 {"problems", nlohmann::ordered_json::array()}};
  for (const store::Problem& problem : report.problems)
    json["problems"].push_back({{"kind", kind_text(problem.kind)},
                                {"subject", problem.subject},
                                {"problem", problem.what},
                                {"repair", problem.repair}});
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

std::string text_of(const store::VerifyReport& report) {
  std::string text;
  for (const store::Problem& problem : report.problems) {
    text += kind_text(problem.kind);
    if (!problem.subject.empty()) text += " " + problem.subject;
    text += ": " + problem.what;
    if (!problem.repair.empty()) text += " (" + problem.repair + ")";
    text += "\n";
  }
  const auto count = [](std::size_t n, const char* noun) {
    return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
  };
  return text + count(report.blobs, "blob") + ", " +
         count(report.layers, "layer") + ", " +
         count(report.records, "record") + ", " + count(report.names, "image") +
         ", " + short_size(report.bytes) + ": " +
         (report.sound() ? "sound" : count(report.problems.size(), "problem")) +
         "\n";
}

void run_verify(Session& session) {
  const Arguments& args = session.args();
  const std::string format = args.value("format");
  if (!format.empty() && format != "json")
    throw UsageError("invalid format " + go_quote(format) + ": want json");
  const store::VerifyReport report = store::verify(
      session.store(), {.repair = args.has("repair"),
                        .threads = std::thread::hardware_concurrency(),
                        .stop = session.stop()});
  print(format == "json" ? json_of(report) : text_of(report));
  if (report.busy)
    throw Error(
        "another process uses the store: nothing was repaired; try again when "
        "builds, pushes and pulls have ended");
  const bool left = std::any_of(
      report.problems.begin(), report.problems.end(),
      [](const store::Problem& problem) { return problem.repair.empty(); });
  if (left)
    throw Error("the store is damaged; cbuild verify --repair puts it right");
}

}  // namespace

const Command kVerifyCommand = {
    "verify",
    "[OPTIONS]",
    "Check everything in the store against its digests",
    R"(Reads all of it: blobs, trees against indexes, tarballs against diffIDs, step
records, image names and what they need. Damaged records and references are
dropped by whatever reads them, here too. The exit status is 0 where nothing is
wrong or all was put right, else 1.

--repair drops what is wrong: an index is made again, a tarball packed again
where that gives the same bytes, a step whose layer is gone runs again in the next
build. An image that cannot be saved loses its names. Looking goes on beside
builds; to repair, it needs the store for itself: it does nothing while another
process uses it, and builds that start meanwhile wait, and say so.
)",
    kTable,
    0,
    0,
    run_verify,
};

}  // namespace cbuild::cli
