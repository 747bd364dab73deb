#include "store/chain.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace cbuild::store {
namespace {

constexpr char kSeparator = ' ';

bool is_boundary(std::string_view text, std::size_t at) {
  return at == text.size() || text[at] == kSeparator;
}

// Where the whole ids that both begin with end.
std::size_t common_end(std::string_view a, std::string_view b) {
  // Nearly always: memcmp is many times faster than a loop.
  std::size_t end = b.size();
  if (!a.starts_with(b))
    end = static_cast<std::size_t>(
        std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
        a.begin());
  if (is_boundary(a, end) && is_boundary(b, end)) return end;
  const std::size_t blank = a.substr(0, end).rfind(kSeparator);
  return blank == a.npos ? 0 : blank;
}

}  // namespace

Chain::Chain(const std::vector<LayerId>& ids)
    : Chain(parse(join(ids, std::string(1, kSeparator)))) {}

Chain Chain::parse(std::string text) {
  Chain chain;
  if (!text.empty())
    chain.text_ = std::make_shared<const std::string>(std::move(text));
  return chain;
}

const std::string& Chain::text() const {
  static const std::string none;
  return text_ ? *text_ : none;
}

LayerId Chain::top() const {
  const std::size_t blank = text().rfind(kSeparator);
  return text().substr(blank == std::string::npos ? 0 : blank + 1);
}

std::vector<LayerId> Chain::beyond(const Chain& other) const {
  std::string_view rest = text();
  rest.remove_prefix(common_end(rest, other.text()));
  if (rest.empty()) return {};
  if (rest.front() == kSeparator) rest.remove_prefix(1);
  return split(rest, kSeparator);
}

Chain Chain::with(const Chain& above) const {
  if (empty()) return above;
  if (above.empty()) return *this;
  std::string joined;
  joined.reserve(text().size() + 1 + above.text().size());
  return parse(
      joined.append(text()).append(1, kSeparator).append(above.text()));
}

Chain Chain::without_top() const {
  const std::size_t blank = text().rfind(kSeparator);
  return blank == std::string::npos ? Chain() : parse(text().substr(0, blank));
}

}  // namespace cbuild::store
