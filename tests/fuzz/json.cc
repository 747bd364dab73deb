// The JSON form of arguments: what is taken for it is an array to the last
// byte, and each element stands where it is said to.
#include "parser/grammar.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cbuild::parser;
  const std::string_view text = cbuild::fuzz::text_of(data, size);
  const std::optional<JsonArray> array = json_array(text);
  if (!array) return 0;
  MUST(text.find('[') != text.npos);
  MUST(text.rfind(']') != text.npos);
  if (!array->words) return 0;
  std::size_t last = 0;
  for (const JsonArray::Element& element : *array->words) {
    const auto [begin, end] = element.range;
    MUST(begin >= last && end <= text.size() && begin + 2 <= end);
    MUST(text[begin] == '"' && text[end - 1] == '"');
    // No escape makes a text longer but one: a bad byte becomes U+FFFD.
    MUST(element.text.size() <= 3 * (end - begin - 2));
    last = end;
  }
  return 0;
}
