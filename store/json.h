// Helpers of the store's .cc files that read and write JSON. Private to store/.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/image.h"

namespace cbuild::store {

// Keys in the order they are set: equal values give equal bytes.
using Json = nlohmann::ordered_json;

// Throws Error naming `what` where `text` is no JSON object.
Json parse_object(std::string_view text, std::string_view what);

// Bytes that are no UTF-8 become U+FFFD, as Go writes them.
std::string dump(const Json& json);

// The member, or nullptr where it is absent or null.
const Json* member(const Json& object, const char* key);

// Absent and null give the type's empty value; another type throws Error.
std::string text_at(const Json& object, const char* key);
std::int64_t number_at(const Json& object, const char* key);
bool flag_at(const Json& object, const char* key);
std::vector<std::string> texts_at(const Json& object, const char* key);
std::map<std::string, std::string> pairs_at(const Json& object,
                                            const char* key);

Descriptor descriptor_from(const Json& object);
Json descriptor_to(const Descriptor& descriptor);

}  // namespace cbuild::store
