#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace cbuild {
namespace {

std::string describe(int code, std::string_view call,
                     std::string_view subject) {
  std::string text(call);
  if (!subject.empty()) {
    text += ' ';
    text += subject;
  }
  text += ": ";
  text += std::strerror(code);
  return text;
}

}  // namespace

void Error::add_context(std::string_view doing) {
  message_.insert(0, ": ").insert(0, doing);
}

SystemError::SystemError(int code, std::string_view call,
                         std::string_view subject)
    : Error(describe(code, call, subject)), code_(code) {}

void throw_system_error(std::string_view call, std::string_view subject) {
  throw SystemError(errno, call, subject);
}

}  // namespace cbuild
