#include "store/remember.h"

#include "base/error.h"
#include "store/staging.h"

namespace cbuild::store {

void remember(const std::string& root, const char* name,
              std::string_view text) {
  try {
    Staging::of(root)->replace(root + "/" + name, text);
  } catch (const SystemError&) {
    // The old file, if any, stays: whoever reads it sees that it is old.
  }
}

}  // namespace cbuild::store
