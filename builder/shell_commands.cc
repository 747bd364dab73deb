#include "builder/shell_commands.h"

namespace cbuild::builder {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view script) : script_(script) {}

  std::vector<ShellCommand> read() {
    for (; at_ < script_.size(); ++at_) take(script_[at_]);
    end_command();
    return std::move(commands_);
  }

 private:
  void take(char c) {
    constexpr std::string_view operators = ";&|\n(){}<>`";
    if (c == '\\' && at_ + 1 < script_.size()) {
      if (script_[++at_] != '\n') word_ += script_[at_];
    } else if (c == '\'' || c == '"') {
      take_quoted(c);
    } else if (c == '$' && script_.substr(at_, 2) == "${") {
      take_braced();
    } else if (operators.find(c) != std::string_view::npos) {
      end_command();
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word_ += c;
    }
  }

  void take_quoted(char quote) {
    quoted_ = true;
    for (++at_; at_ < script_.size() && script_[at_] != quote; ++at_) {
      if (quote == '"' && script_[at_] == '\\' && at_ + 1 < script_.size())
        ++at_;
      word_ += script_[at_];
    }
  }

  // ${NAME} is one word, though braces part commands.
  void take_braced() {
    for (; at_ < script_.size() && script_[at_] != '}'; ++at_)
      word_ += script_[at_];
    word_ += '}';
  }

  void end_word() {
    if (!word_.empty() || quoted_) command_.push_back(std::move(word_));
    word_.clear();
    quoted_ = false;
  }

  void end_command() {
    end_word();
    if (!command_.empty()) commands_.push_back(std::move(command_));
    command_.clear();
  }

  std::string_view script_;
  std::size_t at_ = 0;
  std::string word_;
  bool quoted_ = false;
  ShellCommand command_;
  std::vector<ShellCommand> commands_;
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view script) {
  return Reader(script).read();
}

}  // namespace cbuild::builder
