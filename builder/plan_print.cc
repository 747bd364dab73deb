#include "builder/plan_print.h"

#include <fmt/format.h>

#include "base/text.h"
#include "builder/image_config.h"
#include "parser/line_table.h"

namespace cbuild::builder {
namespace {

// Writes one list: words, then :names with values.
class Printer {
 public:
  std::string out;

  void open(std::string_view name, int depth) {
    out += fmt::format("\n{:{}}({}", "", 2 * depth, name);
  }
  void close() { out += ')'; }
  void value(std::string_view text) { out += ' ' + go_quote(text); }
  void word(std::string_view text) { out += fmt::format(" {}", text); }
  void field(std::string_view name, std::string_view text) {
    if (!text.empty()) out += fmt::format(" :{} {}", name, go_quote(text));
  }
  void flag(std::string_view name, bool given) {
    if (given) out += fmt::format(" :{}", name);
  }
  template <typename List>
  void list(std::string_view name, const List& values) {
    if (values.empty()) return;
    out += fmt::format(" :{}", name);
    for (const std::string& text : values) value(text);
  }
};

// The default PATH, which nearly every image has, is not worth a line.
std::vector<std::string> told(std::vector<std::string> env) {
  std::erase(env, kDefaultPath);
  return env;
}

struct PrintStep {
  Printer& p;

  void operator()(const ImageStep& image) const {
    p.word("from");
    p.value(image.reference.text());
    p.field("platform", image.image.config.platform.text());
  }
  void operator()(const WorkdirStep& workdir) const {
    p.word("workdir");
    p.value(workdir.path);
    p.field("user", workdir.user);
  }
  void operator()(const RunStep& run) const {
    p.word("run");
    for (const std::string& word : run.argv) p.value(word);
  }
  void operator()(const CopyStep& copy) const {
    p.word(copy.spec.add ? "add" : "copy");
    for (const std::string& source : copy.spec.sources) p.value(source);
    for (const InlineFile& file : copy.spec.inline_files) {
      p.word("(file");
      p.value(file.name);
      p.value(file.content);
      p.close();
    }
    p.value(copy.spec.destination);
  }
};

struct PrintOptions {
  Printer& p;

  void operator()(const ImageStep&) const {}
  void operator()(const WorkdirStep&) const {}
  void operator()(const CopyStep& copy) const {
    if (copy.remotes.size() < copy.spec.sources.size()) origin(copy.origin);
    p.field("chown", copy.spec.chown);
    p.field("chmod", copy.spec.chmod);
    p.flag("link", copy.link);
    p.flag("parents", copy.spec.parents);
    p.list("exclude", copy.spec.exclude);
    if (copy.spec.unpack)
      p.field("unpack", *copy.spec.unpack ? "true" : "false");
  }
  void operator()(const RunStep& run) const {
    p.field("cwd", run.cwd == "/" ? "" : run.cwd);
    p.field("user", run.user);
    p.list("env", told(run.env));
    p.list("proxy-env", run.proxy_env);
    if (run.network) p.field("network", network_name(*run.network));
    p.flag("insecure", run.insecure);
    if (run.script) p.field("script", run.script->content);
    for (const MountStep& mount : run.mounts) print_mount(mount);
  }

 private:
  static const char* network_name(runtime::NetworkMode mode) {
    static const char* const names[] = {"default", "none", "host"};
    return names[static_cast<std::size_t>(mode)];
  }
  void origin(const FileOrigin& origin) const {
    if (origin.step)
      p.word(":from " + std::to_string(*origin.step));
    else if (origin.context)
      p.word(":from context");
    else
      p.word(":from scratch");
  }
  void print_mount(const MountStep& step) const {
    static const char* const types[] = {"bind", "cache", "tmpfs", "secret",
                                        "ssh"};
    const parser::RunMount& mount = step.mount;
    p.word(":mount (");
    p.out += types[static_cast<std::size_t>(mount.type)];
    p.value(step.target);
    p.field("id", mount.id);
    p.field("source", mount.source);
    if (step.has_origin) origin(step.origin);
    if (mount.read_only)
      p.field("read-only", *mount.read_only ? "true" : "false");
    if (mount.env) p.field("env", *mount.env);
    p.flag("required", mount.required);
    p.close();
  }
};

void print_image(Printer& p, const Plan& plan) {
  const store::ContainerConfig& config = plan.image.config;
  p.open("image", 1);
  if (plan.top) p.word(":top " + std::to_string(*plan.top));
  p.field("platform", plan.image.platform.text());
  if (plan.source_date_epoch)
    p.word(fmt::format(":epoch {}", *plan.source_date_epoch));
  p.list("env", told(config.env));
  p.field("cwd", config.working_dir == "/" ? "" : config.working_dir);
  p.field("user", config.user);
  if (config.entrypoint) p.list("entrypoint", *config.entrypoint);
  if (config.cmd) p.list("cmd", *config.cmd);
  p.list("expose", config.exposed_ports);
  p.list("volumes", config.volumes);
  for (const auto& [name, text] : config.labels)
    p.field("label", name + "=" + text);
  p.field("stop-signal", config.stop_signal);
  if (config.healthcheck) p.list("healthcheck", config.healthcheck->test);
  p.list("shell", config.shell);
  p.list("onbuild", config.on_build);
  p.close();
}

void print_step(Printer& p, const Step& step, const parser::LineTable& lines) {
  p.open(fmt::format("step {}", step.id), 2);
  std::visit(PrintStep{p}, step.node);
  p.word(fmt::format(":line {}", lines.position(step.span.begin).line));
  if (step.parent) p.word(fmt::format(":on {}", *step.parent));
  p.flag("no-cache", step.no_cache);
  std::visit(PrintOptions{p}, step.node);
  p.close();
}

}  // namespace

std::string plan_text(const Plan& plan, std::string_view text) {
  Printer p;
  p.out = "(plan";
  const parser::LineTable lines(text);
  const std::string* stage = nullptr;
  for (const Step& step : plan.steps) {
    if (!stage || *stage != step.stage) {
      if (stage) p.close();
      stage = &step.stage;
      p.open("stage", 1);
      if (!stage->empty()) p.value(*stage);
    }
    print_step(p, step, lines);
  }
  if (stage) p.close();
  print_image(p, plan);
  return p.out + ")\n";
}

}  // namespace cbuild::builder
