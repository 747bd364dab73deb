#include "cli/call.h"

#include "base/text.h"
#include "cli/check_report.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/quiet_surroundings.h"
#include "cli/values.h"
#include "parser/mount.h"

namespace cbuild::cli {
namespace {

void read_field(const std::string& text, const std::string& field, Call& call) {
  const auto [key, value] = cut(field);
  if (key == "format" && (value == "json" || value == "text")) {
    call.format = *value;
  } else if (key == "format") {
    refuse_value("call", text, "want format=json or format=text");
  } else if (key == "ignorestatus" && value && parser::parse_bool(*value)) {
    call.ignore_status = *parser::parse_bool(*value);
  } else {
    refuse_value("call", text,
                 "invalid print field: " + field +
                     did_you_mean(key, {"format", "ignorestatus"}));
  }
}

// nullopt: "build".
std::optional<Call> parse_call(const std::string& text) {
  Call call;
  std::string name;
  for (const std::string& field : split(text, ',')) {
    if (field.find('=') != std::string::npos)
      read_field(text, field, call);
    else if (name.empty())
      name = field;
    else
      refuse_value("call", text, "invalid print value");
  }
  if (name == "build") return std::nullopt;
  if (name == "outline") {
    call.what = Call::What::outline;
  } else if (name == "targets") {
    call.what = Call::What::targets;
  } else if (name != "check" && name != "lint") {
    refuse_value(
        "call", text,
        "want check, outline, targets or build" +
            did_you_mean(name, {"check", "outline", "targets", "build"}));
  }
  return call;
}

void print_check(const builder::CheckReport& report, const Call& call) {
  for (const std::string& image : report.missed_images)
    print_error("note: " + image +
                " is not in the store: variables it sets count as undefined "
                "(--pull asks its registry)");
  if (call.format == "json")
    print(check_json(report));
  else if (call.format == "sarif")
    print(check_sarif(report));
  else if (call.format == "github")
    print(check_github(report));
  else
    print(check_text(report));
  if (report.error) std::rethrow_exception(report.error->cause);
  if (!report.findings.empty() && !call.ignore_status) throw ExitStatus(1);
}

}  // namespace

std::optional<Call> read_call(const Arguments& arguments) {
  std::optional<Call> call = parse_call(arguments.value("call", "build"));
  if (!arguments.has("check")) return call;
  if (!call) return Call{};
  if (call->what != Call::What::check)
    throw UsageError("--check and --call=" + arguments.value("call") +
                     " cannot be had at once");
  return call;
}

void run_call(Session& session, const builder::BuildRequest& request,
              const Call& call) {
  const bool json = call.format == "json";
  QuietSurroundings surroundings(session);
  if (call.what == Call::What::targets) {
    const builder::TargetsReport report =
        builder::targets(request, surroundings.environment);
    print(json ? targets_json(report) : targets_text(report));
    return;
  }
  if (request.platform)
    print_error(
        "note: checks and outlines are for this machine's platform; "
        "--platform has no say");
  if (call.what == Call::What::check) {
    print_check(builder::check(request, surroundings.environment), call);
    return;
  }
  const builder::OutlineReport report =
      builder::outline(request, surroundings.environment);
  print(json ? outline_json(report) : outline_text(report));
}

}  // namespace cbuild::cli
