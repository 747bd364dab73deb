#include "registry/challenge.h"

#include "base/text.h"

namespace cbuild::registry {
namespace {

bool is_token_byte(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~/";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || kOthers.find(c) != std::string_view::npos;
}

// Reads from the front of what is left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : left_(text) {}

  bool at_end() const { return left_.empty(); }
  void skip(std::string_view bytes) {
    while (!left_.empty() && bytes.find(left_[0]) != std::string_view::npos)
      left_.remove_prefix(1);
  }
  void skip_one() { left_.remove_prefix(1); }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }

  std::string token() {
    std::size_t end = 0;
    while (end < left_.size() && is_token_byte(left_[end])) ++end;
    const std::string result(left_.substr(0, end));
    left_.remove_prefix(end);
    return result;
  }

  // A token, or a quoted string without its quotes and backslashes.
  std::string value() {
    if (!take('"')) return token();
    std::string result;
    while (!at_end()) {
      if (take('"')) break;
      if (take('\\') && at_end()) break;
      result += left_[0];
      skip_one();
    }
    return result;
  }

 private:
  std::string_view left_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view field) {
  std::vector<Challenge> challenges;
  Cursor cursor(field);
  for (;;) {
    cursor.skip(" \t,");
    if (cursor.at_end()) return challenges;
    const std::string name = to_lower(cursor.token());
    if (name.empty()) {
      cursor.skip_one();
      continue;
    }
    cursor.skip(" \t");
    // A name with '=' belongs to the challenge before it; one without begins
    // the next challenge.
    if (!cursor.take('=')) {
      challenges.push_back({name, {}});
      continue;
    }
    cursor.skip(" \t");
    const std::string value = cursor.value();
    if (!challenges.empty()) challenges.back().parameters.emplace(name, value);
  }
}

}  // namespace cbuild::registry
