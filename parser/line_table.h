// The lines of a text, found once: for whoever asks for many places in it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "parser/source.h"

namespace cbuild::parser {

class LineTable {
 public:
  explicit LineTable(std::string_view text) : size_(text.size()) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') starts_.push_back(i + 1);
  }

  // As position_of().
  Position position(std::uint32_t offset) const {
    const std::size_t at = std::min<std::size_t>(offset, size_);
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), at);
    const std::size_t start = next == starts_.begin() ? 0 : *(next - 1);
    return {static_cast<std::size_t>(next - starts_.begin()) + 1,
            at - start + 1};
  }

 private:
  std::size_t size_;
  std::vector<std::size_t> starts_;  // of all lines but the first
};

}  // namespace cbuild::parser
