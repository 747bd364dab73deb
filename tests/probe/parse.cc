// Whole Dockerfiles: the typed tree as BuildKit's, field by field.
#include "parser/parse.h"

#include "base/text.h"
#include "builder/checks.h"
#include "parser/directives.h"
#include "parser/lines.h"
#include "parser/mount.h"
#include "tests/probe/family.h"

namespace cbuild::probe {
namespace {

using namespace parser;

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}
void put(Json& json, const char* key, const std::optional<Word>& word) {
  if (word) json[key] = word->raw;
}

Json words(const std::vector<Word>& list) {
  Json json = Json::array();
  for (const Word& word : list) json.push_back(word.raw);
  return json;
}

Json pairs(const std::vector<KeyValue>& list) {
  Json json = Json::array();
  for (const KeyValue& pair : list) {
    json.push_back({{"key", pair.key.raw}, {"value", pair.value.raw}});
    if (pair.legacy) json.back()["space_form"] = true;
  }
  return json;
}

Json arguments(const Arg& arg) {
  Json json = Json::array();
  for (const ArgDeclaration& declaration : arg.declarations) {
    Json one = {{"key", declaration.name.raw}};
    if (declaration.value) one["default"] = declaration.value->raw;
    put(one, "doc", declaration.doc);
    json.push_back(one);
  }
  return json;
}

void put_command(Json& json, const Command& command) {
  json["shell"] = command.shell;
  json["cmd"] = command.argv;
  if (command.shell && command.argv.at(0).empty()) json["cmd"] = Json::array();
}

Json mount_json(const RunMount& mount) {
  static const char* const types[] = {"bind", "cache", "tmpfs", "secret",
                                      "ssh"};
  const bool writable = mount.type == RunMount::Type::cache ||
                        mount.type == RunMount::Type::tmpfs;
  Json json = {{"type", types[static_cast<int>(mount.type)]},
               {"readonly", mount.read_only.value_or(!writable)}};
  put(json, "from", mount.from);
  put(json, "source", mount.source);
  put(json, "target", mount.target);
  put(json, "id", mount.id);
  if (mount.env) json["env"] = *mount.env;
  if (mount.size) json["size"] = mount.size;
  if (mount.required) json["required"] = true;
  if (mount.uid) json["uid"] = *mount.uid;
  if (mount.gid) json["gid"] = *mount.gid;
  if (mount.mode) {
    char octal[16];
    std::snprintf(octal, sizeof octal, "0o%o", *mount.mode);
    json["mode"] = octal;
  }
  return json;
}

void put_mounts(Json& json, const std::vector<Word>& mounts) {
  const Lookup none = [](std::string_view) { return std::nullopt; };
  Json list = Json::array();
  try {
    for (const Word& mount : mounts)
      list.push_back(mount_json(parse_run_mount(mount.raw, &none)));
    json["mounts"] = list;
  } catch (const Error& e) {
    // BuildKit's hint stands in a field of its own.
    std::string text = e.what();
    const std::size_t hint = text.find(" (did you mean ");
    if (hint != std::string::npos) {
      const std::size_t begin = hint + 15;
      json["suggestion"] = text.substr(begin, text.size() - 2 - begin);
      text.erase(hint);
    }
    json["mount_error"] = text;
  }
}

Json heredocs_json(const std::vector<Heredoc>& heredocs) {
  Json list = Json::array();
  for (const Heredoc& heredoc : heredocs) {
    Json one = {{"name", heredoc.name},
                {"content", heredoc.written},
                {"expand", heredoc.expand},
                {"chomp", heredoc.chomp}};
    if (heredoc.descriptor) one["fd"] = heredoc.descriptor;
    list.push_back(one);
  }
  return list;
}

// A line of an ONBUILD as it reads again.
Json reparsed(const RawInstruction& raw) {
  Json args = Json::array();
  for (const Argument& argument : raw.split.arguments)
    args.push_back(argument.text);
  Json flags = Json::array();
  for (const Flag& flag : raw.split.flags) flags.push_back(flag.text);
  Json json = {{"instruction", to_upper(raw.split.keyword)},
               {"args", args},
               {"flags", flags},
               {"json", raw.split.json},
               {"heredocs", heredocs_json(raw.heredocs)},
               {"line", raw.line.text}};
  if (json["instruction"] != raw.split.keyword)
    json["written"] = raw.split.keyword;
  return json;
}

struct ToJson {
  Json json;

  void operator()(const From&) {}
  void operator()(const Run& run) {
    put_command(json, run.command);
    Json used = Json::array();
    if (!run.devices.empty()) used.push_back("device");
    if (!run.mounts.empty()) used.push_back("mount");
    if (!run.network.empty()) used.push_back("network");
    if (!run.security.empty()) used.push_back("security");
    if (!used.empty()) json["flags_used"] = used;
    if (run.network != "default") put(json, "network", run.network);
    if (run.security != "sandbox") put(json, "security", run.security);
    if (!run.mounts.empty()) put_mounts(json, run.mounts);
    for (const Word& word : run.devices) {
      const RunDevice device = parse_run_device(word.raw);
      json["devices"].push_back(
          {{"name", device.name}, {"required", device.required}});
    }
    for (const Heredoc& heredoc : run.heredocs)
      json["files"].push_back({{"name", heredoc.name},
                               {"data", heredoc.written},
                               {"chomp", heredoc.chomp}});
  }
  void operator()(const Cmd& cmd) { put_command(json, cmd.command); }
  void operator()(const Entrypoint& entrypoint) {
    put_command(json, entrypoint.command);
    if (json["cmd"].empty()) json["cmd_null"] = true;
  }
  void operator()(const Copy& copy) {
    json["sources"] = words(copy.sources);
    json["dest"] = copy.destination.raw;
    for (const Heredoc& heredoc : copy.heredocs)
      json["contents"].push_back({{"name", heredoc.name},
                                  {"data", heredoc.content},
                                  {"expand", heredoc.expand}});
    put(json, "from", copy.from);
    put(json, "chown", copy.chown);
    put(json, "chmod", copy.chmod);
    put(json, "checksum", copy.checksum);
    if (copy.link) json["link"] = true;
    if (copy.parents) json["parents"] = true;
    if (!copy.exclude.empty()) json["exclude"] = copy.exclude;
    if (copy.keep_git_dir) json["keep_git_dir"] = *copy.keep_git_dir;
    if (copy.unpack) json["unpack"] = *copy.unpack;
  }
  void operator()(const Env& env) { json["env"] = pairs(env.pairs); }
  void operator()(const Label& label) { json["labels"] = pairs(label.pairs); }
  void operator()(const Arg& arg) { json["args"] = arguments(arg); }
  void operator()(const Expose& expose) { json["ports"] = words(expose.ports); }
  void operator()(const Volume& volume) {
    json["volumes"] = words(volume.paths);
  }
  void operator()(const User& user) { json["user"] = user.user.raw; }
  void operator()(const Workdir& workdir) { json["path"] = workdir.path.raw; }
  void operator()(const StopSignal& stop) { json["signal"] = stop.signal.raw; }
  void operator()(const Healthcheck& check) {
    Json health = {{"test", check.test}};
    if (check.interval) health["interval_ns"] = check.interval;
    if (check.timeout) health["timeout_ns"] = check.timeout;
    if (check.start_period) health["start_period_ns"] = check.start_period;
    if (check.start_interval)
      health["start_interval_ns"] = check.start_interval;
    if (check.retries) health["retries"] = check.retries;
    json["healthcheck"] = health;
  }
  void operator()(const Shell& shell) { json["shell_cmd"] = shell.argv; }
  void operator()(const Onbuild& onbuild) {
    json["expression"] = onbuild.expression;
    for (const RawInstruction& raw :
         read_lines(onbuild.expression).instructions)
      json["reparse"].push_back(reparsed(raw));
    try {
      parse_onbuild(onbuild.expression);
    } catch (const SyntaxError& e) {
      json["reparse_error"] = e.diagnostics().at(0).message;
    }
  }
  void operator()(const Maintainer& maintainer) {
    json["maintainer"] = maintainer.name;
  }
};

Json command_json(const Instruction& instruction, std::string_view text) {
  ToJson to_json;
  std::visit(to_json, instruction.node);
  std::string name = to_upper(instruction.keyword);
  to_json.json["instruction"] = name;
  to_json.json["line"] = position_of(text, instruction.span.begin).line;
  return to_json.json;
}

Json stage_json(const Stage& stage, std::string_view text) {
  const From& from = std::get<From>(stage.from.node);
  Json json = {{"base", from.base.raw},
               {"line", position_of(text, stage.from.span.begin).line},
               {"commands", Json::array()}};
  put(json, "name", from.name);
  put(json, "platform", from.platform);
  put(json, "doc", stage.doc);
  for (const Instruction& instruction : stage.instructions)
    json["commands"].push_back(command_json(instruction, text));
  return json;
}

Json file_json(const ParsedFile& file, std::string_view text) {
  Json json = {{"escape", std::string(1, file.directives.escape)},
               {"stages", Json::array()},
               {"global_args", Json::array()}};
  for (const Instruction& instruction : file.global_args)
    json["global_args"].push_back(
        {{"args", arguments(std::get<Arg>(instruction.node))},
         {"line", position_of(text, instruction.span.begin).line}});
  for (const Stage& stage : file.stages)
    json["stages"].push_back(stage_json(stage, text));
  return json;
}

Json answer(const Json& question) {
  const std::string text = question.at("dockerfile");
  Json json;
  try {
    const ParsedFile file = parse(text);
    // BuildKit looks at the directive before it types anything.
    const std::string& check = file.directives.check;
    builder::parse_check_options(check.substr(0, check.find(' ')));
    json = file_json(file, text);
  } catch (const SyntaxError& e) {
    const Diagnostic& first = e.diagnostics().at(0);
    json["error"] = {{"line", position_of(text, first.instruction.begin).line},
                     {"text", first.message}};
  }
  json["directives"] = Json::object();
  for (const Directive& directive : read_directives(text))
    json["directives"][directive.name] = {{"line", directive.line},
                                          {"value", directive.value}};
  return json;
}

const Family family("parse", answer);

}  // namespace
}  // namespace cbuild::probe
