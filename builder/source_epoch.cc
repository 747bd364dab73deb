#include "builder/source_epoch.h"

#include <charconv>

#include "base/text.h"
#include "builder/add_source.h"

namespace cbuild::builder {
namespace {

constexpr const char* kName = "SOURCE_DATE_EPOCH";

// Go's strconv.ParseInt.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, seconds);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return seconds;
}

// Reads a stage that only says where a time comes from.
class SourceStage {
 public:
  SourceStage(const parser::Stage& stage, const BuildArgs& build_args,
              const GlobalScope& scope)
      : stage_(stage),
        build_args_(build_args),
        variables_(scope.variables),
        escape_(scope.escape) {}

  RemoteSource read() {
    const auto& from = std::get<parser::From>(stage_.from.node);
    if (expand_word(from.base, variables_, escape_) != "scratch")
      refuse("must use FROM scratch");
    std::optional<RemoteSource> source;
    for (const parser::Instruction& instruction : stage_.instructions) {
      const auto* copy = std::get_if<parser::Copy>(&instruction.node);
      if (const auto* arg = std::get_if<parser::Arg>(&instruction.node)) {
        declare(*arg);
      } else if (copy && copy->add) {
        if (source) refuse("must contain exactly one remote ADD");
        source = source_of(*copy, instruction.span);
      } else {
        refuse("does not meet source-only requirements: unsupported " +
               to_lower(instruction.keyword) + " instruction");
      }
    }
    if (!source) refuse("must contain exactly one remote ADD");
    return std::move(*source);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw mistake(stage_.from.span, std::string(kName) + " stage " + why);
  }

  void declare(const parser::Arg& arg) {
    for (const parser::ArgDeclaration& one : arg.declarations) {
      const auto given = build_args_.values.find(one.name.raw);
      if (given != build_args_.values.end())
        variables_.set(one.name.raw, given->second);
      else if (one.value)
        variables_.set(one.name.raw,
                       expand_word(*one.value, variables_, escape_));
    }
  }

  RemoteSource source_of(const parser::Copy& copy, parser::Span span) const {
    if (!copy.heredocs.empty() || copy.sources.size() != 1)
      refuse("must contain exactly one remote ADD source");
    CopySpec spec;
    spec.add = true;
    spec.sources = {expand_word(copy.sources[0], variables_, escape_)};
    const std::string checksum =
        copy.checksum ? expand_word(*copy.checksum, variables_, escape_) : "";
    auto remotes = remote_sources(copy, spec, checksum, span);
    if (remotes.empty()) refuse("source must be a single HTTP(S) or Git ADD");
    return std::move(remotes.begin()->second);
  }

  const parser::Stage& stage_;
  const BuildArgs& build_args_;
  Variables variables_;
  char escape_;
};

}  // namespace

std::string epoch_text(const BuildArgs& build_args, const GlobalScope& scope) {
  const auto given = build_args.values.find(kName);
  return given != build_args.values.end()
             ? given->second
             : scope.variables.get(kName).value_or("");
}

std::optional<std::int64_t> resolve_epoch(const std::string& text,
                                          const parser::ParsedFile& file,
                                          const BuildArgs& build_args,
                                          const GlobalScope& scope,
                                          Contexts& contexts) {
  if (text.empty()) return std::nullopt;
  if (const auto seconds = seconds_of(text)) return seconds;
  if (text == "context") return contexts.main_time();
  if (contexts.has(text)) return contexts.time(text);
  for (const parser::Stage& stage : file.stages) {
    const auto& from = std::get<parser::From>(stage.from.node);
    if (!equals_ignore_case(from.name, text)) continue;
    return contexts.time(SourceStage(stage, build_args, scope).read());
  }
  throw UsageError("invalid SOURCE_DATE_EPOCH: " + text);
}

}  // namespace cbuild::builder
