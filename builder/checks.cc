#include "builder/checks.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "builder/check_rules.h"
#include "builder/variables.h"
#include "parser/mount.h"
#include "parser/parse.h"

namespace cbuild::builder {
namespace {

std::set<std::string> rule_names(std::string_view list) {
  std::set<std::string> names;
  for (const std::string& name : split(list, ','))
    names.insert(std::string(trim(name)));
  return names;
}

// At most three parts, as Go's SplitN: the third keeps its semicolons.
std::vector<std::string> option_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (parts.size() < 2) {
    const std::size_t end = text.find(';');
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.emplace_back(text);
  return parts;
}

// The value of a "check=..." comment, up to the first blank, or nullopt.
std::optional<std::string> check_comment(std::string_view comment) {
  comment = trim(comment, " \t\r\n");
  const std::size_t equals = comment.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equals_ignore_case(trim(comment.substr(0, equals)), "check"))
    return std::nullopt;
  const std::string_view value = trim(comment.substr(equals + 1));
  if (value.empty()) return std::nullopt;
  return std::string(value.substr(0, value.find(' ')));
}

bool has_word(std::string_view name, std::string_view word) {
  for (std::size_t at = name.find(word); at != std::string_view::npos;
       at = name.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || name[at - 1] == '_') &&
        (end == name.size() || name[end] == '_'))
      return true;
  }
  return false;
}

}  // namespace

CheckConfig parse_check_options(std::string_view text) {
  CheckConfig config;
  text = trim(text);
  if (text.empty()) return config;
  for (const std::string& part : option_parts(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos)
      throw Error("invalid check option " + go_quote(part));
    const std::string key(trim(std::string_view(part).substr(0, equals)));
    const std::string_view value =
        trim(std::string_view(part).substr(equals + 1));
    if (key == "skip") {
      config.skip_all = config.skip_all || value == "all";
      if (value != "all") config.skip = rule_names(value);
    } else if (key == "experimental") {
      config.experimental_all = config.experimental_all || value == "all";
      if (value != "all") config.experimental = rule_names(value);
    } else if (key == "error") {
      const auto flag = parser::parse_bool(value);
      if (!flag)
        throw Error("failed to parse check option " + go_quote(part) +
                    ": strconv.ParseBool: parsing " + go_quote(value) +
                    ": invalid syntax");
      config.error = *flag;
    } else {
      throw Error("invalid check option " + go_quote(key));
    }
  }
  return config;
}

CheckConfig check_config(const BuildRequest& request, std::string_view text) {
  const std::string argument = "BUILDKIT_DOCKERFILE_CHECK";
  CheckConfig config;
  const auto given =
      std::find_if(request.build_args.rbegin(), request.build_args.rend(),
                   [&](const auto& pair) { return pair.first == argument; });
  const parser::Word directive = parser::check_directive(text);
  try {
    config = parse_check_options(given != request.build_args.rend()
                                     ? given->second.value_or("")
                                     : directive.raw);
  } catch (const Error& e) {
    if (given != request.build_args.rend())
      throw BuildArgError("failed to parse build-arg:" + argument + ": " +
                          e.what());
    throw mistake(directive.span,
                  std::string("failed to parse check options: ") + e.what());
  }
  config.experimental.insert(request.experimental_checks.begin(),
                             request.experimental_checks.end());
  return config;
}

void Checks::enter(const std::vector<std::string>& comments) {
  leave();
  for (const std::string& comment : comments) {
    const auto value = check_comment(comment);
    if (!value) continue;
    CheckConfig own;
    try {
      own = parse_check_options(*value);
    } catch (const Error&) {
      return;  // BuildKit takes such a comment for an ordinary one
    }
    merged_ = config_;
    merged_.skip_all |= own.skip_all;
    merged_.experimental_all |= own.experimental_all;
    merged_.skip.insert(own.skip.begin(), own.skip.end());
    merged_.experimental.insert(own.experimental.begin(),
                                own.experimental.end());
    local_ = &merged_;
    return;
  }
}

bool Checks::speaks(const CheckRule& rule) const {
  const CheckConfig& config = local_ ? *local_ : config_;
  switch (rule.kind) {
    case CheckRule::Kind::standard:
      return !config.skip_all && config.skip.count(rule.name) == 0;
    case CheckRule::Kind::experimental:
      return config.experimental_all ||
             config.experimental.count(rule.name) > 0;
    case CheckRule::Kind::own:
      return config.experimental.count(rule.name) > 0;
  }
  std::terminate();  // all kinds are above
}

void Checks::report(const std::string& rule, std::string message,
                    parser::Span span) {
  const CheckRule* known = find_rule(rule);
  if (known == nullptr) throw Error("there is no check called " + rule);
  if (!stopped_ && speaks(*known))
    findings_.push_back({rule, std::move(message), span});
}

void Checks::fail_if_asked() const {
  if (!config_.error || findings_.empty()) return;
  std::set<std::string> rules;
  for (const Finding& finding : findings_) rules.insert(finding.rule);
  throw UsageError("lint violation found for rules: " +
                   join({rules.begin(), rules.end()}, ", "));
}

bool looks_secret(std::string_view name) {
  const std::string lower = to_lower(name);
  const auto any = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return has_word(lower, word); });
  };
  return any({"apikey", "auth", "credential", "credentials", "key", "password",
              "pword", "passwd", "secret", "token"}) &&
         !any({"public", "file", "version"});
}

}  // namespace cbuild::builder
