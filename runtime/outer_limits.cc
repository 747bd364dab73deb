#include "runtime/outer_limits.h"

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {

bool has_seccomp_filter() {
  return read_file("/proc/self/status").value_or("").find("\nSeccomp:\t2") !=
         std::string::npos;
}

std::string apparmor_profile() {
  try {
    const std::string text = read_file("/proc/self/attr/current").value_or("");
    const std::string profile =
        text.substr(0, text.find_first_of(std::string("\n\0", 2)));
    return profile == "unconfined" ? "" : profile;
  } catch (const Error&) {
    return "";  // EINVAL: no security module answers
  }
}

}  // namespace cbuild::runtime
