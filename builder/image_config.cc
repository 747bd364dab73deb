#include "builder/image_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

constexpr const char* kHistoryComment = "buildkit.dockerfile.v0";

// Go's %q of a []string.
std::string quoted_list(const std::vector<std::string>& list) {
  std::vector<std::string> quoted;
  for (const std::string& item : list) quoted.push_back(go_quote(item));
  return "[" + join(quoted, " ") + "]";
}

// Go's %v of a []string.
std::string plain_list(const std::vector<std::string>& list) {
  return "[" + join(list, " ") + "]";
}

// Go's time.Duration.String.
std::string go_duration(std::int64_t ns) {
  if (ns == 0) return "0s";
  const auto fraction = [](double value) { return fmt::format("{}", value); };
  if (ns < 1'000) return std::to_string(ns) + "ns";
  if (ns < 1'000'000) return fraction(static_cast<double>(ns) / 1e3) + "µs";
  if (ns < 1'000'000'000) return fraction(static_cast<double>(ns) / 1e6) + "ms";
  const std::int64_t minutes = ns / 60'000'000'000;
  std::string text =
      fraction(static_cast<double>(ns % 60'000'000'000) / 1e9) + "s";
  if (minutes == 0) return text;
  text = std::to_string(minutes % 60) + "m" + text;
  return minutes < 60 ? text : std::to_string(minutes / 60) + "h" + text;
}

std::string pairs_text(const char* word, const Pairs& pairs) {
  std::string text = word;
  for (const auto& [key, value] : pairs) text += " " + key + "=" + value;
  return text;
}

// Names of moby/sys/signal for Linux, without SIG. RTMIN and RTMAX families are
// handled by is_signal.
constexpr std::array kSignals = {
    "ABRT", "ALRM", "BUS",   "CHLD",   "CLD",  "CONT", "FPE",    "HUP",
    "ILL",  "INT",  "IO",    "IOT",    "KILL", "PIPE", "POLL",   "PROF",
    "PWR",  "QUIT", "SEGV",  "STKFLT", "STOP", "SYS",  "TERM",   "TRAP",
    "TSTP", "TTIN", "TTOU",  "URG",    "USR1", "USR2", "VTALRM", "WINCH",
    "XCPU", "XFSZ", "RTMIN", "RTMAX"};

bool is_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+'))
    text.remove_prefix(1);
  return parse_number(text).has_value();
}

bool is_signal(const std::string& raw) {
  if (is_number(raw))
    return raw.find_first_of("123456789") != std::string::npos;
  std::string name = to_upper(raw);
  if (name.rfind("SIG", 0) == 0) name.erase(0, 3);
  if (std::find(kSignals.begin(), kSignals.end(), name) != kSignals.end())
    return true;
  const auto below = [&](std::string_view prefix, std::uint64_t limit) {
    if (name.rfind(prefix, 0) != 0) return false;
    const auto n = parse_number(std::string_view(name).substr(prefix.size()));
    return n && *n >= 1 && *n <= limit;
  };
  return below("RTMIN+", 15) || below("RTMAX-", 14);
}

}  // namespace

store::ImageConfig empty_image(const store::Platform& platform) {
  store::ImageConfig image;
  image.platform = platform;
  image.config.working_dir = "/";
  image.config.env = {kDefaultPath};
  return image;
}

void set_env(std::vector<std::string>& env, const std::string& name,
             const std::string& value) {
  const std::string pair = name + "=" + value;
  for (std::string& entry : env) {
    if (entry.substr(0, entry.find('=')) != name) continue;
    entry = pair;
    return;
  }
  env.push_back(pair);
}

void add_history(store::ImageConfig& image, std::string created_by,
                 bool empty_layer) {
  store::History entry;
  entry.created_by = std::move(created_by);
  entry.comment = kHistoryComment;
  entry.empty_layer = empty_layer;
  image.history.push_back(std::move(entry));
}

std::vector<std::string> with_shell(const store::ImageConfig& image,
                                    const std::string& script) {
  std::vector<std::string> argv = image.config.shell;
  if (argv.empty()) argv = {"/bin/sh", "-c"};
  argv.push_back(script);
  return argv;
}

namespace {

std::vector<std::string> command_argv(const store::ImageConfig& image,
                                      const parser::Command& command) {
  if (!command.shell) return command.argv;
  return with_shell(image, join(command.argv, " "));
}

}  // namespace

void apply_env(store::ImageConfig& image, const Pairs& pairs) {
  for (const auto& [key, value] : pairs) set_env(image.config.env, key, value);
  add_history(image, pairs_text("ENV", pairs), true);
}

void apply_label(store::ImageConfig& image, const Pairs& pairs) {
  for (const auto& [key, value] : pairs) image.config.labels[key] = value;
  add_history(image, pairs_text("LABEL", pairs), true);
}

void apply_cmd(store::ImageConfig& image, const parser::Command& command) {
  const std::vector<std::string> argv = command_argv(image, command);
  image.config.cmd = argv;
  if (argv.empty()) image.config.cmd.reset();
  image.config.args_escaped = true;
  add_history(image, "CMD " + quoted_list(argv), true);
}

void apply_entrypoint(store::ImageConfig& image, const parser::Command& command,
                      bool keep_cmd) {
  const std::vector<std::string> argv = command_argv(image, command);
  image.config.entrypoint = argv;
  if (argv.empty()) image.config.entrypoint.reset();
  if (!keep_cmd) image.config.cmd.reset();
  add_history(image, "ENTRYPOINT " + quoted_list(argv), true);
}

void apply_healthcheck(store::ImageConfig& image,
                       const parser::Healthcheck& check) {
  store::Healthcheck health;
  health.test = check.test;
  health.interval = check.interval;
  health.timeout = check.timeout;
  health.start_period = check.start_period;
  health.start_interval = check.start_interval;
  health.retries = check.retries;
  image.config.healthcheck = health;
  add_history(image,
              "HEALTHCHECK {Test:" + plain_list(health.test) +
                  " Interval:" + go_duration(health.interval) +
                  " Timeout:" + go_duration(health.timeout) +
                  " StartPeriod:" + go_duration(health.start_period) +
                  " StartInterval:" + go_duration(health.start_interval) +
                  " Retries:" + std::to_string(health.retries) + "}",
              true);
}

void apply_user(store::ImageConfig& image, const std::string& user) {
  image.config.user = user;
  add_history(image, "USER " + user, true);
}

void apply_volume(store::ImageConfig& image,
                  const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (path.empty())
      throw Error("VOLUME specified can not be an empty string");
    image.config.volumes.insert(path);
  }
  add_history(image, "VOLUME " + plain_list(paths), true);
}

void apply_stop_signal(store::ImageConfig& image, const std::string& signal) {
  if (!is_signal(signal)) throw Error("invalid signal: " + signal);
  image.config.stop_signal = signal;
  add_history(image, "STOPSIGNAL " + signal, true);
}

void apply_shell(store::ImageConfig& image,
                 const std::vector<std::string>& argv) {
  image.config.shell = argv;
  add_history(image, "SHELL " + plain_list(argv), true);
}

void apply_expose(store::ImageConfig& image,
                  const std::vector<std::string>& ports) {
  image.config.exposed_ports.insert(ports.begin(), ports.end());
  add_history(image, "EXPOSE " + plain_list(ports), true);
}

void apply_maintainer(store::ImageConfig& image, const std::string& name) {
  image.author = name;
  add_history(image, "MAINTAINER " + name, true);
}

std::string normalize_path(const std::string& parent, const std::string& path,
                           bool keep_slash) {
  std::string base = parent.empty() ? "/" : parent;
  if (base[0] != '/') base = clean_path("/" + base);
  std::string out = path.empty() ? base : path;
  if (out[0] != '/') out = clean_path(base + "/" + out);
  if (!keep_slash) return out;
  const auto ends_with = [&](std::string_view tail) {
    return path.size() >= tail.size() &&
           path.compare(path.size() - tail.size(), tail.size(), tail) == 0;
  };
  if (ends_with("/") && out.back() != '/') {
    out += '/';
  } else if (ends_with("/.")) {
    if (out != "/") out += '/';
    out += '.';
  }
  return out;
}

}  // namespace cbuild::builder
