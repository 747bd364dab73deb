#include "builder/scope.h"

#include <array>
#include <cstdlib>

#include "base/text.h"

namespace cbuild::builder {
namespace {

constexpr std::array kProxyNames = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
                                    "NO_PROXY", "ALL_PROXY"};

std::vector<std::string> proxy_env(
    const std::map<std::string, std::string>& args) {
  std::vector<std::string> env;
  for (const std::string name : kProxyNames) {
    std::string value;
    for (const auto& [key, arg] : args)
      if (equals_ignore_case(key, name)) value = arg;
    if (value.empty()) continue;
    env.push_back(name + "=" + value);
    env.push_back(to_lower(name) + "=" + value);
  }
  return env;
}

}  // namespace

BuildArgs read_build_args(const BuildRequest& request) {
  BuildArgs args;
  for (const auto& [name, value] : request.build_args) {
    if (value) {
      args.values[name] = *value;
    } else if (const char* inherited = std::getenv(name.c_str())) {
      args.values[name] = inherited;
    }
  }
  args.proxy_env = proxy_env(args.values);
  return args;
}

namespace {

const std::string* find_value(const BuildArgs& build_args,
                              const std::string& name) {
  const auto it = build_args.values.find(name);
  return it == build_args.values.end() ? nullptr : &it->second;
}

// A global ARG of the file; `given` is its value on the command line.
void declare(const parser::ArgDeclaration& arg, parser::Span span,
             const std::string* given, GlobalScope& scope) {
  const std::string& name = arg.name.raw;
  OutlineArg info{name, "", arg.doc, span, {}};
  std::optional<std::string> value;
  if (given) {
    value = *given;
  } else if (arg.value) {
    parser::Expansion expansion =
        expand_named(*arg.value, scope.variables, scope.escape);
    value = std::move(expansion.text);
    info.uses = std::move(expansion.used);
    // `ARG A=${A:-x}` is made of what the A before it was made of.
    if (info.uses.erase(name) > 0)
      info.uses.merge(scope.outline.args[name].uses);
  }
  if (value) {
    scope.variables.set(name, *value);
    info.value = std::move(*value);
  }
  scope.outline.args[name] = std::move(info);
}

}  // namespace

GlobalScope platform_scope(const parser::ParsedFile& file,
                           const BuildArgs& build_args,
                           const store::Platform& build_platform,
                           const store::Platform& target_platform,
                           const std::string& target) {
  const store::Platform& b = build_platform;
  const store::Platform& t = target_platform;
  std::string stage = target;
  if (stage.empty() && !file.stages.empty())
    stage = std::get<parser::From>(file.stages.back().from.node).name;
  const std::pair<const char*, std::string> words[] = {
      {"BUILDPLATFORM", b.text()},
      {"BUILDOS", b.os},
      {"BUILDOSVERSION", b.os_version},
      {"BUILDARCH", b.architecture},
      {"BUILDVARIANT", b.variant},
      {"TARGETPLATFORM", t.text()},
      {"TARGETOS", t.os},
      {"TARGETOSVERSION", t.os_version},
      {"TARGETARCH", t.architecture},
      {"TARGETVARIANT", t.variant},
      {"TARGETSTAGE", stage.empty() ? "default" : stage}};
  GlobalScope scope;
  scope.escape = file.directives.escape;
  for (const auto& [name, value] : words) {
    const std::string* given = find_value(build_args, name);
    scope.variables.set(name, given ? *given : value);
  }
  return scope;
}

void declare_global_args(const parser::ParsedFile& file,
                         const BuildArgs& build_args, GlobalScope& scope) {
  for (const parser::Instruction& instruction : file.global_args)
    for (const auto& arg : std::get<parser::Arg>(instruction.node).declarations)
      declare(arg, instruction.span, find_value(build_args, arg.name.raw),
              scope);
}

}  // namespace cbuild::builder
