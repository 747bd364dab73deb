// --chmod as BuildKit reads it: octal, or the grammar of BSD's setmode(3) with
// umask 0. It is not GNU's: X looks at the mode before any change, = leaves the
// sticky bit, and several operators may follow one list of classes.
#include <string_view>

#include "base/error.h"
#include "builder/copy_files.h"

namespace cbuild::builder {
namespace {

constexpr std::uint32_t kSetUid = 04000;
constexpr std::uint32_t kSetGid = 02000;
constexpr std::uint32_t kSticky = 01000;
constexpr std::uint32_t kUser = 0700;
constexpr std::uint32_t kGroup = 070;
constexpr std::uint32_t kOther = 07;
constexpr std::uint32_t kRead = 0444;
constexpr std::uint32_t kWrite = 0222;
constexpr std::uint32_t kExecute = 0111;
constexpr std::uint32_t kStandard = kSetUid | kSetGid | 0777;

// The whole text as octal digits, or nullopt; kept below overflow.
std::optional<std::uint32_t> parse_octal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint32_t>(c - '0');
    if (value > 07777) return 010000;
  }
  return value;
}

// 0 to 7: the bits of one class.
std::uint32_t class_bits(std::uint32_t mode, char letter) {
  if (letter == 'u') return mode >> 6 & 7;
  if (letter == 'g') return mode >> 3 & 7;
  return mode & 7;
}

// The same three bits for every class in `classes`.
std::uint32_t spread(std::uint32_t three, std::uint32_t classes) {
  return three * 0111 & classes;
}

}  // namespace

// Reads one clause after the other: classes, then operators with permissions.
class ModeChangeParser {
 public:
  explicit ModeChangeParser(const std::string& text)
      : text_(text), rest_(text) {}

  std::vector<ModeChange::Command> parse() {
    for (;;) {
      read_classes();
      do {
        read_operation();
      } while (!rest_.empty() && rest_.front() != ',');
      if (rest_.empty()) return std::move(commands_);
      rest_.remove_prefix(1);
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw Error("invalid chmod parameter: '" + text_ + "': invalid syntax");
  }

  void read_classes() {
    who_ = 0;
    for (;; rest_.remove_prefix(1)) {
      if (rest_.empty()) fail();
      const char c = rest_.front();
      if (c == 'a')
        who_ |= kStandard;
      else if (c == 'u')
        who_ |= kSetUid | kUser;
      else if (c == 'g')
        who_ |= kSetGid | kGroup;
      else if (c == 'o')
        who_ |= kOther;
      else
        return;
    }
  }

  void read_operation() {
    op_ = rest_.front();
    if (op_ != '+' && op_ != '-' && op_ != '=') fail();
    rest_.remove_prefix(1);
    if (op_ == '=') assigned_ = false;
    who_ &= ~kSticky;
    bits_ = conditional_ = 0;
    while (!rest_.empty() && read_permission(rest_.front()))
      rest_.remove_prefix(1);
    if (bits_ != 0 || (op_ == '=' && !assigned_)) {
      if (op_ == '=') assigned_ = true;
      change_bits(op_, bits_);
    }
    if (conditional_ != 0) change_bits('X', conditional_);
  }

  bool read_permission(char c) {
    const bool for_owner = who_ == 0 || (who_ & ~kOther) != 0;
    switch (c) {
      case 'r':
        bits_ |= kRead;
        return true;
      case 'w':
        bits_ |= kWrite;
        return true;
      case 'x':
        bits_ |= kExecute;
        return true;
      case 'X':
        (op_ == '-' ? bits_ : conditional_) |= kExecute;
        return true;
      case 's':
        if (for_owner) bits_ |= kSetUid | kSetGid;
        return true;
      case 't':
        if (for_owner) who_ |= kSticky;
        if (for_owner) bits_ |= kSticky;
        return true;
      case 'u':
      case 'g':
      case 'o':
        copy_class(c);
        return true;
      default:
        return false;
    }
  }

  // What was read so far happens before the copy.
  void copy_class(char from) {
    if (bits_ != 0) change_bits(op_, bits_);
    bits_ = 0;
    if (op_ == '=') assigned_ = true;
    if (conditional_ != 0) change_bits('X', conditional_);
    conditional_ = 0;
    ModeChange::Command copy;
    copy.kind = from;
    copy.classes = who_ == 0 ? 0777 : who_ & 0777;
    copy.set = op_ != '-';
    copy.clear = op_ != '+';
    commands_.push_back(copy);
  }

  void change_bits(char op, std::uint32_t bits) {
    const std::uint32_t all = who_ == 0 ? kStandard : who_;
    if (op == '=') commands_.push_back({'-', all});
    const char kind = op == '=' ? '+' : op;
    commands_.push_back({kind, who_ == 0 ? bits : who_ & bits});
  }

  const std::string& text_;
  std::string_view rest_;
  std::vector<ModeChange::Command> commands_;
  std::uint32_t who_ = 0;
  char op_ = '+';
  std::uint32_t bits_ = 0;
  std::uint32_t conditional_ = 0;  // of X
  bool assigned_ = false;          // this = has cleared its bits
};

ModeChange ModeChange::parse(const std::string& text) {
  ModeChange change;
  change.octal_ = parse_octal(text);
  const bool number = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (change.octal_.value_or(0) > 07777 || (number && !change.octal_))
    throw Error("invalid chmod parameter: '" + text +
                "'. it should be octal string and between 0 and 07777");
  if (!change.octal_) change.commands_ = ModeChangeParser(text).parse();
  return change;
}

std::uint32_t ModeChange::apply(std::uint32_t mode, bool directory) const {
  if (octal_) return *octal_;
  const bool executable = directory || (mode & kExecute) != 0;
  std::uint32_t made = mode;
  for (const Command& command : commands_) {
    if (command.kind == '-') {
      made &= ~command.bits;
    } else if (command.kind == '+') {
      made |= command.bits;
    } else if (command.kind == 'X') {
      if (executable) made |= command.bits;
    } else {
      const std::uint32_t three = class_bits(made, command.kind);
      if (command.clear)
        made &= ~spread(command.set ? 7 : three, command.classes);
      if (command.set) made |= spread(three, command.classes);
    }
  }
  return made;
}

}  // namespace cbuild::builder
