#include "store/tar_library.h"

#include "base/error.h"

namespace cbuild::store {

const ArchiveLibrary& archive_library() {
  static const ArchiveLibrary library;
  return library;
}

Utf8Names::Utf8Names() {
  static const locale_t utf8 =
      ::newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
  if (utf8 == static_cast<locale_t>(nullptr))
    throw Error("the locale C.UTF-8 is missing (Debian package libc-bin)");
  previous_ = ::uselocale(utf8);
}

Utf8Names::~Utf8Names() { ::uselocale(previous_); }

std::string archive_problem(archive* a) {
  const char* text = archive_library().archive_error_string(a);
  return text == nullptr ? "unknown failure" : text;
}

}  // namespace cbuild::store
