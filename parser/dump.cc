#include "parser/dump.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "parser/line_table.h"

namespace cbuild::parser {
namespace {

class Dumper {
 public:
  explicit Dumper(std::string_view text) : table_(text) {}

  std::string dump(const ParsedFile& file) {
    out_ = "(dockerfile";
    field("syntax", file.directives.syntax);
    if (file.directives.escape != '\\')
      field("escape", std::string(1, file.directives.escape));
    field("check", file.directives.check);
    for (const Instruction& arg : file.global_args) instruction(arg, 1);
    for (const Stage& each : file.stages) stage(each);
    for (const Warning& warning : file.warnings) {
      open("warning", 1);
      lines(warning.span);
      out_ += ' ' + warning.rule;
      value(warning.message);
      close();
    }
    return out_ + ")\n";
  }

  void operator()(const From& from) {
    value(from.base.raw);
    field("platform", from.platform);
  }
  void operator()(const Run& run) {
    for (const Word& mount : run.mounts) field("mount", mount.raw);
    for (const Word& device : run.devices) field("device", device.raw);
    field("network", run.network);
    field("security", run.security);
    command(run.command);
    heredocs(run.heredocs);
  }
  void operator()(const Cmd& cmd) { command(cmd.command); }
  void operator()(const Entrypoint& entry) { command(entry.command); }
  void operator()(const Copy& copy) {
    field("from", copy.from);
    field("chown", copy.chown);
    field("chmod", copy.chmod);
    field("checksum", copy.checksum);
    flag("link", copy.link);
    flag("parents", copy.parents);
    if (copy.keep_git_dir) flag("keep-git-dir", true, *copy.keep_git_dir);
    if (copy.unpack) flag("unpack", true, *copy.unpack);
    for (const std::string& pattern : copy.exclude) field("exclude", pattern);
    words(copy.sources);
    value(copy.destination.raw);
    heredocs(copy.heredocs);
  }
  void operator()(const Env& env) { pairs(env.pairs); }
  void operator()(const Label& label) { pairs(label.pairs); }
  void operator()(const Arg& arg) {
    for (const ArgDeclaration& declaration : arg.declarations) {
      out_ += " (";
      out_ += go_quote(declaration.name.raw);
      if (declaration.value) value(declaration.value->raw);
      field("doc", declaration.doc);
      out_ += ')';
    }
  }
  void operator()(const Expose& expose) { words(expose.ports); }
  void operator()(const Volume& volume) { words(volume.paths); }
  void operator()(const User& user) { value(user.user.raw); }
  void operator()(const Workdir& workdir) { value(workdir.path.raw); }
  void operator()(const StopSignal& stop) { value(stop.signal.raw); }
  void operator()(const Healthcheck& check) {
    number("interval", check.interval);
    number("timeout", check.timeout);
    number("start-period", check.start_period);
    number("start-interval", check.start_interval);
    number("retries", check.retries);
    for (const std::string& word : check.test) value(word);
  }
  void operator()(const Shell& shell) {
    for (const std::string& word : shell.argv) value(word);
  }
  void operator()(const Onbuild& onbuild) { value(onbuild.expression); }
  void operator()(const Maintainer& maintainer) { value(maintainer.name); }

 private:
  void stage(const Stage& stage) {
    open("stage", 1);
    const From& from = std::get<From>(stage.from.node);
    if (!from.name.empty()) value(from.name);
    lines(stage.from.span);
    field("doc", stage.doc);
    instruction(stage.from, 2);
    for (const Instruction& each : stage.instructions) instruction(each, 2);
    close();
  }

  void instruction(const Instruction& instruction, int depth) {
    open(to_lower(instruction.keyword), depth);
    lines(instruction.span);
    for (const std::string& comment : instruction.comments)
      field("comment", comment);
    std::visit(*this, instruction.node);
    close();
  }

  void open(std::string_view name, int depth) {
    out_ += fmt::format("\n{:{}}({}", "", 2 * depth, name);
  }
  void close() { out_ += ')'; }

  void lines(const Span& span) {
    const std::size_t first = table_.position(span.begin).line;
    const std::uint32_t end = std::max(span.begin + 1, span.end) - 1;
    const std::size_t last = table_.position(end).line;
    out_ += fmt::format(" :line {}", first);
    if (last != first) out_ += fmt::format("-{}", last);
  }

  void value(std::string_view text) { out_ += ' ' + go_quote(text); }
  void words(const std::vector<Word>& list) {
    for (const Word& word : list) value(word.raw);
  }
  void field(std::string_view name, std::string_view text) {
    if (!text.empty()) out_ += fmt::format(" :{} {}", name, go_quote(text));
  }
  void field(std::string_view name, const std::optional<Word>& word) {
    if (word) out_ += fmt::format(" :{} {}", name, go_quote(word->raw));
  }
  void flag(std::string_view name, bool given, bool truth = true) {
    if (given) out_ += fmt::format(" :{}{}", name, truth ? "" : " false");
  }
  void number(std::string_view name, std::int64_t number) {
    if (number != 0) out_ += fmt::format(" :{} {}", name, number);
  }

  void command(const Command& command) {
    out_ += command.shell ? " shell" : " exec";
    for (const std::string& word : command.argv) value(word);
  }
  void pairs(const std::vector<KeyValue>& list) {
    for (const KeyValue& pair : list)
      out_ +=
          fmt::format(" ({} {}{})", go_quote(pair.key.raw),
                      go_quote(pair.value.raw), pair.legacy ? " :legacy" : "");
  }
  void heredocs(const std::vector<Heredoc>& list) {
    for (const Heredoc& heredoc : list) {
      out_ += " (heredoc";
      value(heredoc.name);
      if (heredoc.descriptor != 0) number("fd", heredoc.descriptor);
      flag("expand", true, heredoc.expand);
      flag("chomp", heredoc.chomp);
      value(heredoc.content);
      close();
    }
  }

  LineTable table_;
  std::string out_;
};

}  // namespace

std::string dump(const ParsedFile& file, std::string_view text) {
  return Dumper(text).dump(file);
}

}  // namespace cbuild::parser
