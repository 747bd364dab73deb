#include "parser/mount.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "parser/grammar.h"

namespace cbuild::parser {
namespace {

const std::vector<std::string> kTypes = {"bind", "cache", "tmpfs", "secret",
                                         "ssh"};
const std::vector<std::string> kSharings = {"shared", "private", "locked"};
const std::vector<std::string> kKeys = {
    "type",        "from", "source", "target",    "readonly", "id",  "sharing",
    "required",    "size", "mode",   "uid",       "gid",      "src", "dst",
    "destination", "ro",   "rw",     "readwrite", "env"};

template <typename Enum>
std::optional<Enum> enumerator(const std::vector<std::string>& names,
                               std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), to_lower(name));
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

std::optional<std::uint32_t> unsigned_number(std::string_view text, int base) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || code != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::vector<std::string> fields_of(std::string_view text, const char* what) {
  try {
    return csv_fields(text);
  } catch (const Error& e) {
    throw Error("failed to parse csv " + std::string(what) + ": " + e.what());
  }
}

// key=value, the key in lower case.
struct Field {
  explicit Field(const std::string& field) : text(field) {
    const std::size_t equals = field.find('=');
    key = to_lower(std::string_view(field).substr(0, equals));
    if (equals != std::string::npos) value = field.substr(equals + 1);
  }
  std::string text;
  std::string key;
  std::optional<std::string> value;
};

class MountReader {
 public:
  MountReader(const Lookup* lookup, char escape)
      : lookup_(lookup), escape_(escape) {}

  RunMount read(std::string_view text) {
    for (const std::string& field : fields_of(text, "mounts"))
      read_field(Field(field));
    check();
    return std::move(mount_);
  }

 private:
  using Type = RunMount::Type;

  const std::string& type_name() const {
    return kTypes[static_cast<std::size_t>(mount_.type)];
  }
  bool may_be_required() const {
    return mount_.type == Type::secret || mount_.type == Type::ssh;
  }
  [[noreturn]] void not_for_this_type(const std::string& key) const {
    throw Error("unexpected key '" + key + "' for mount type '" + type_name() +
                "'");
  }

  void read_field(const Field& field) {
    if (!lookup_) return read_unexpanded(field);
    if (!field.value) return read_bare(field);
    const ExpandOptions options{.escape = escape_};
    const std::string value = expand(*field.value, *lookup_, options).text;
    if (!read_place(field.key, value) && !read_permission(field.key, value))
      read_kind(field, value);
  }

  // Before variables are known only `from` counts.
  void read_unexpanded(const Field& field) {
    if (!field.value || field.key != "from") return;
    const std::size_t dollar = field.value->find('$');
    if (dollar != std::string::npos && dollar + 1 != field.value->size())
      throw Error(
          "'from' doesn't support variable expansion, define alias stage "
          "instead");
    mount_.from = *field.value;
  }

  void read_bare(const Field& field) {
    if (field.key == "readonly" || field.key == "ro") {
      mount_.read_only = true;
    } else if (field.key == "readwrite" || field.key == "rw") {
      mount_.read_only = false;
    } else if (field.key == "required") {
      if (!may_be_required()) not_for_this_type(field.key);
      mount_.required = true;
    } else {
      throw Error("invalid field '" + field.text +
                  "' must be a key=value pair");
    }
  }

  bool read_place(const std::string& key, const std::string& value) {
    if (key == "from")
      mount_.from = value;
    else if (key == "source" || key == "src")
      mount_.source = value;
    else if (key == "target" || key == "dst" || key == "destination")
      mount_.target = value;
    else if (key == "id")
      mount_.id = value;
    else if (key == "env")
      mount_.env = value;
    else
      return false;
    return true;
  }

  bool read_permission(const std::string& key, const std::string& value) {
    if (key == "readonly" || key == "ro")
      mount_.read_only = boolean(key, value);
    else if (key == "readwrite" || key == "rw")
      mount_.read_only = !boolean(key, value);
    else if (key == "mode")
      mount_.mode = number(key, value, 8);
    else if (key == "uid")
      mount_.uid = number(key, value, 10);
    else if (key == "gid")
      mount_.gid = number(key, value, 10);
    else
      return false;
    return true;
  }

  void read_kind(const Field& field, const std::string& value) {
    if (field.key == "type") {
      const auto type = enumerator<Type>(kTypes, value);
      if (!type)
        throw Error("unsupported mount type " + go_quote(value) +
                    did_you_mean(value, kTypes, false));
      mount_.type = *type;
    } else if (field.key == "sharing") {
      const auto sharing = enumerator<RunMount::Sharing>(kSharings, value);
      if (!sharing)
        throw Error("unsupported sharing value " + go_quote(value) +
                    did_you_mean(value, kSharings, false));
      mount_.sharing = *sharing;
      has_sharing_ = true;
    } else if (field.key == "required") {
      if (!may_be_required()) not_for_this_type(field.key);
      mount_.required = boolean(field.key, value);
    } else if (field.key == "size") {
      if (mount_.type != Type::tmpfs) not_for_this_type(field.key);
      const std::optional<std::uint64_t> size = parse_bytes(value);
      if (!size) throw Error("invalid value for size: " + value);
      mount_.size = *size;
    } else {
      throw Error("unexpected key '" + field.key + "' in '" + field.text + "'" +
                  did_you_mean(field.key, kKeys, false));
    }
  }

  static bool boolean(const std::string& key, const std::string& value) {
    const std::optional<bool> parsed = parse_bool(value);
    if (!parsed) throw Error("invalid value for " + key + ": " + value);
    return *parsed;
  }

  static std::uint32_t number(const std::string& key, const std::string& value,
                              int base) {
    const auto parsed = unsigned_number(value, base);
    if (!parsed) throw Error("invalid value " + value + " for " + key);
    return *parsed;
  }

  void check() const {
    if (mount_.type == Type::bind || mount_.type == Type::tmpfs) {
      if (mount_.mode) not_allowed("mode");
      if (mount_.uid) not_allowed("uid");
      if (mount_.gid) not_allowed("gid");
    }
    if (mount_.type == Type::secret) check_secret();
    if (has_sharing_ && mount_.type != Type::cache)
      throw Error("invalid cache sharing set for " + type_name() + " mount");
  }

  [[noreturn]] void not_allowed(const char* key) const {
    throw Error(std::string(key) + " not allowed for " + go_quote(type_name()) +
                " type mounts");
  }

  void check_secret() const {
    if (!mount_.from.empty())
      throw Error("secret mount should not have a from");
    if (has_sharing_) throw Error("secret mount should not define sharing");
    if (mount_.source.empty() && mount_.target.empty() && mount_.id.empty())
      throw Error("invalid secret mount. one of source, target required");
    if (!mount_.source.empty() && !mount_.id.empty())
      throw Error("both source and id can't be set");
  }

  const Lookup* lookup_;
  char escape_;
  RunMount mount_;
  bool has_sharing_ = false;
};

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"})
    if (text == yes) return true;
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"})
    if (text == no) return false;
  return std::nullopt;
}

RunMount parse_run_mount(std::string_view text, const Lookup* lookup,
                         char escape) {
  return MountReader(lookup, escape).read(text);
}

RunDevice parse_run_device(std::string_view text) {
  RunDevice device;
  for (const std::string& written : fields_of(text, "devices")) {
    const Field field(written);
    if (field.key == "required") {
      const std::optional<bool> required =
          parse_bool(field.value.value_or("1"));
      if (!required) throw Error("invalid value for required: " + *field.value);
      device.required = *required;
    } else if (field.value && field.key == "name") {
      if (!device.name.empty())
        throw Error("device name already set to " + device.name);
      device.name = *field.value;
    } else if (device.name.empty()) {
      device.name = written;
    } else if (!field.value) {
      throw Error("invalid field '" + written + "' must be a key=value pair");
    } else {
      throw Error("unexpected key '" + field.key + "' in '" + written + "'" +
                  did_you_mean(field.key, {"name", "required"}, false));
    }
  }
  return device;
}

}  // namespace cbuild::parser
