// A text made of texts, each after its length and a colon: any bytes go in and
// come back as they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::builder {

inline void put_field(std::string& text, std::string_view field) {
  text += std::to_string(field.size());
  text += ':';
  text += field;
}

// Reads them in order.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  // Throws Error where there is none.
  std::string next() {
    const std::size_t colon = text_.find(':');
    const auto size = parse_number(text_.substr(0, colon));
    if (colon == text_.npos || !size || *size > text_.size() - colon - 1)
      throw Error("a list of texts is cut short");
    std::string field(text_.substr(colon + 1, *size));
    text_.remove_prefix(colon + 1 + *size);
    return field;
  }
  std::uint64_t next_number() {
    const auto number = parse_number(next());
    if (!number) throw Error("a list of texts has a word for a number");
    return *number;
  }

 private:
  std::string_view text_;
};

}  // namespace cbuild::builder
