#include "store/platform.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/text.h"

// containerd's platforms package, rule by rule: database.go (names),
// platforms.go (Parse), compare.go (Only).

namespace cbuild::store {
namespace {

constexpr std::array<std::string_view, 16> kSystems = {
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd",
    "ios", "illumos", "js",     "linux",     "nacl",    "netbsd",
    "zos", "openbsd", "plan9",  "solaris"};

constexpr std::array<std::string_view, 24> kArchitectures = {
    "386",     "amd64",       "amd64p32", "arm",     "armbe", "arm64",
    "arm64be", "ppc64",       "ppc64le",  "loong64", "mips",  "mipsle",
    "mips64",  "mips64le",    "ppc",      "riscv",   "s390",  "riscv64",
    "s390x",   "mips64p32le", "sparc",    "sparc64", "wasm",  "mips64p32"};

template <typename Names>
bool among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool known_system(std::string_view os) {
  return os == "windows" || among(kSystems, os);
}

std::string normal_os(std::string_view os) {
  const std::string lower = to_lower(os);
  return lower == "macos" ? "darwin" : lower;
}

using Names = std::pair<std::string, std::string>;  // architecture, variant

Names normal_arch(std::string_view architecture, std::string_view version) {
  std::string arch = to_lower(architecture);
  std::string variant = to_lower(version);
  if (arch == "i386") return {"386", ""};
  if (arch == "x86_64" || arch == "x86-64" || arch == "amd64")
    return {"amd64", variant == "v1" ? "" : variant};
  if (arch == "armhf") return {"arm", "v7"};
  if (arch == "armel") return {"arm", "v6"};
  if (arch == "aarch64" || arch == "arm64") {
    if (variant == "8" || variant == "v8" || variant == "v8.0") variant = "";
    if (variant == "9" || variant == "v9.0") variant = "v9";
    return {"arm64", variant};
  }
  if (arch == "arm") {
    if (variant.empty()) variant = "v7";
    if (variant.size() == 1 && variant[0] >= '5' && variant[0] <= '8')
      variant = "v" + variant;
  }
  return {arch, variant};
}

bool component_byte(char c, std::string_view others) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
}

bool component(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return component_byte(c, others);
  });
}

[[noreturn]] void invalid(std::string_view part, std::string_view kind,
                          std::string_view whole) {
  throw Error(go_quote(part) + " is an invalid " + std::string(kind) + " of " +
              go_quote(whole) + ": expected os[/arch[/variant]]");
}

// %XX escapes, as url.PathUnescape takes them.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  const auto digit = [&](std::size_t i) {
    constexpr std::string_view hex = "0123456789abcdef";
    return i < text.size() ? hex.find(to_lower(text.substr(i, 1)))
                           : std::string_view::npos;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::size_t high = digit(i + 1);
    const std::size_t low = digit(i + 2);
    if (high == std::string_view::npos || low == std::string_view::npos)
      return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

// "os" or "os(version+feature+feature)".
Platform parse_os(std::string_view part, std::string_view whole) {
  Platform platform;
  const std::size_t open = part.find('(');
  const std::string_view name = part.substr(0, open);
  if (!component(name, "_-")) invalid(part, "OS component", whole);
  platform.os = normal_os(name);
  if (open == std::string_view::npos) return platform;
  if (part.back() != ')') invalid(part, "OS component", whole);
  const std::string_view inner = part.substr(open + 1, part.size() - open - 2);
  bool first = true;
  for (const std::string& option : split(inner, '+')) {
    const bool valid = component(option, "_.%-") || (first && option.empty());
    if (!valid) invalid(part, "OS component", whole);
    const std::optional<std::string> value = unescape(option);
    if (!value) invalid(option, first ? "OS version" : "OS feature", whole);
    if (first)
      platform.os_version = *value;
    else
      platform.os_features.push_back(*value);
    first = false;
  }
  return platform;
}

// One word is an operating system, or else an architecture.
Platform parse_one_word(Platform platform, std::string_view word) {
  if (known_system(platform.os)) {
    const Platform host = host_platform();
    platform.architecture = host.architecture;
    if (host.variant != "v7") platform.variant = host.variant;
    return platform;
  }
  std::tie(platform.architecture, platform.variant) = normal_arch(word, "");
  if (platform.architecture == "arm" && platform.variant == "v7")
    platform.variant.clear();
  if (!among(kArchitectures, platform.architecture))
    throw Error(go_quote(word) + ": unknown operating system or architecture");
  platform.os = "linux";
  return platform;
}

// "10.0.17763.1" and "10.0.17763" are the same build of Windows.
bool same_windows(const std::string& a, const std::string& b) {
  const auto build = [](const std::string& version) {
    std::vector<std::string> parts = split(version, '.');
    if (parts.size() > 3) parts.resize(3);
    return parts;
  };
  return a.empty() || b.empty() || build(a) == build(b);
}

bool equal_to(const Platform& matcher, const Platform& have) {
  return matcher.os == have.os && matcher.architecture == have.architecture &&
         matcher.variant == have.variant &&
         (matcher.os != "windows" ||
          same_windows(matcher.os_version, have.os_version)) &&
         std::includes(matcher.os_features.begin(), matcher.os_features.end(),
                       have.os_features.begin(), have.os_features.end());
}

std::optional<int> version_of(std::string_view variant) {
  if (variant.starts_with("v")) variant.remove_prefix(1);
  const auto number = parse_number(variant);
  if (!number || *number > 1000) return std::nullopt;
  return static_cast<int>(*number);
}

// The platforms whose images run on `want`, best first.
class Accepted {
 public:
  explicit Accepted(const Platform& want) : want_(want), list_({want}) {
    if (want.architecture == "amd64") {
      add_falling("amd64", want.variant, 1);
      add("386", "");
    } else if (want.architecture == "arm") {
      add_falling("arm", want.variant, 5);
    } else if (want.architecture == "arm64") {
      add_arm64(want.variant.empty() ? "v8" : want.variant);
    }
  }

  const std::vector<Platform>& list() const { return list_; }

 private:
  void add(std::string_view arch, const std::string& variant) {
    Platform next = want_;
    next.architecture = arch;
    next.variant = variant;
    list_.push_back(normalize(next));
  }

  void add_falling(std::string_view arch, std::string_view variant,
                   int lowest) {
    for (int v = version_of(variant).value_or(0) - 1; v >= lowest; --v)
      add(arch, "v" + std::to_string(v));
  }

  // v8.3, v8.2, v8.1, v8
  void add_minors(int major, int from) {
    for (int m = from; m >= 0; --m)
      add("arm64",
          "v" + std::to_string(major) + (m > 0 ? "." + std::to_string(m) : ""));
  }

  void add_arm64(const std::string& variant) {
    const std::size_t dot = variant.find('.');
    const std::optional<int> major = version_of(variant.substr(0, dot));
    int minor = 0;
    if (dot != std::string::npos && variant.size() == 4)
      minor = version_of(variant.substr(dot + 1)).value_or(0);
    // v9.0 diverged from v8.5: v9.x runs what v8.(x+5) runs.
    if (major == 9) {
      add_minors(9, minor - 1);
      add_minors(8, minor + 5);
    } else if (major && *major >= 8) {
      add_minors(*major, minor - 1);
    }
    // Every v8 and v9 runs the 32-bit code of v8.
    if (variant.starts_with("v8") || variant.starts_with("v9")) {
      add("arm", "v8");
      add_falling("arm", "v8", 5);
    }
  }

  const Platform& want_;
  std::vector<Platform> list_;
};

}  // namespace

std::string Platform::text() const {
  if (os.empty()) return "unknown";
  std::string out = os;
  for (const std::string& part : {architecture, variant})
    if (!part.empty()) out += "/" + part;
  return out;
}

Platform parse_specifier(std::string_view text) {
  if (text.find('*') != std::string_view::npos)
    throw Error(go_quote(text) + ": wildcards not yet supported");
  std::vector<std::string> parts = split(text, '/');
  // What follows a third slash is one component, as in Go's SplitN.
  while (parts.size() > 4) {
    parts[parts.size() - 2] += "/" + parts.back();
    parts.pop_back();
  }
  Platform platform = parse_os(parts[0], text);
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (!component(parts[i], "_.-")) invalid(parts[i], "component", text);
  if (parts.size() == 1) return parse_one_word(platform, parts[0]);
  if (parts.size() > 3)
    throw Error(go_quote(text) + ": cannot parse platform specifier");
  const bool with_variant = parts.size() == 3;
  std::tie(platform.architecture, platform.variant) =
      normal_arch(parts[1], with_variant ? parts[2] : "");
  if (!with_variant && platform.architecture == "arm" &&
      platform.variant == "v7")
    platform.variant.clear();
  if (with_variant && platform.architecture == "arm64" &&
      platform.variant.empty())
    platform.variant = "v8";
  return platform;
}

Platform parse_platform(std::string_view text) {
  return normalize(parse_specifier(text));
}

Platform normalize(Platform platform) {
  platform.os = platform.os.empty() ? "linux" : normal_os(platform.os);
  std::tie(platform.architecture, platform.variant) =
      normal_arch(platform.architecture, platform.variant);
  std::vector<std::string>& features = platform.os_features;
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return platform;
}

Platform host_platform() {
  struct utsname name;
  check(::uname(&name), "uname", "");
  std::string machine = name.machine;
  Platform host;
  host.os = "linux";
  // 32-bit ARM says armv6l, armv7l or armv8l.
  if (machine.starts_with("armv") && machine.size() > 4) {
    host.architecture = "arm";
    host.variant = "v" + machine.substr(4, 1);
  } else if (machine == "i486" || machine == "i586" || machine == "i686") {
    host.architecture = "386";
  } else {
    host.architecture = machine == "loongarch64" ? "loong64" : machine;
  }
  return normalize(host);
}

bool serves(const Platform& have, const Platform& want) {
  return best_match({have}, want) == 0;
}

int best_match(const std::vector<Platform>& have, const Platform& want) {
  std::vector<Platform> normal;
  for (const Platform& platform : have) normal.push_back(normalize(platform));
  const Platform wanted = normalize(want);
  const Accepted vector(wanted);
  for (const Platform& accepted : vector.list())
    for (std::size_t i = 0; i < normal.size(); ++i)
      if (equal_to(accepted, normal[i])) return static_cast<int>(i);
  return -1;
}

}  // namespace cbuild::store
