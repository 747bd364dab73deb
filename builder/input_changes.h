// What differs between the named inputs of two keys, and how it is put.
#pragma once

#include <string>
#include <vector>

#include "store/step_cache.h"

namespace cbuild::builder {

// A name whose values differ; inputs may have several of one name, in order.
struct InputChange {
  std::string name;
  std::vector<std::string> before;  // empty: it is new
  std::vector<std::string> now;     // empty: it is gone
};

// In the order of `now`; what is gone comes last but for "below".
std::vector<InputChange> input_changes(const store::KeyInputs& before,
                                       const store::KeyInputs& now);

// "chown "a" -> "b"", "link is new": for inputs whose name says it all. Long
// values are shown from shortly before where they differ.
std::string change_text(const std::string& what,
                        const std::vector<std::string>& before,
                        const std::vector<std::string>& now);

}  // namespace cbuild::builder
