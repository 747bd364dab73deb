// A family of unit cases that cbuild-probe can answer (../../corpus/units).
//
// A file of a family defines one Family at namespace scope; that is all that
// main.cc needs to know of it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace cbuild::probe {

using Json = nlohmann::json;
// The answer's fields for one case. Error becomes {"error": its text}.
using Answer = Json (*)(const Json& question);

std::map<std::string, Answer>& families();

struct Family {
  Family(const char* name, Answer answer) { families()[name] = answer; }
};

}  // namespace cbuild::probe
