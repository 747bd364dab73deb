// The values of RUN --mount and --device (reference/peers.md 1.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "parser/expand.h"

namespace cbuild::parser {

struct RunMount {
  enum class Type { bind, cache, tmpfs, secret, ssh } type = Type::bind;
  enum class Sharing { shared, private_, locked } sharing = Sharing::shared;
  std::string from;
  std::string source;
  std::string target;
  std::string id;
  std::optional<bool> read_only;   // as written with ro/rw
  std::optional<std::string> env;  // secret: name of the variable
  std::uint64_t size = 0;          // tmpfs, bytes
  bool required = false;
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

// Throws Error with BuildKit's wording. Without `lookup` nothing is expanded
// (used while parsing, to find mistakes early and `from` for dependencies).
RunMount parse_run_mount(std::string_view text, const Lookup* lookup,
                         char escape = '\\');

// RUN --device: `name[,required]`, a CDI device name.
struct RunDevice {
  std::string name;
  bool required = false;
};

// Throws Error with BuildKit's wording.
RunDevice parse_run_device(std::string_view text);

// Go's strconv.ParseBool: 1, t, T, TRUE, true, True and their opposites.
std::optional<bool> parse_bool(std::string_view text);

}  // namespace cbuild::parser
