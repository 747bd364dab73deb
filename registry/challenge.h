// WWW-Authenticate: what a registry wants to be shown (RFC 9110, 11.6.1).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cbuild::registry {

struct Challenge {
  std::string scheme;  // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // keys in lower case

  std::string parameter(const std::string& key) const {
    const auto found = parameters.find(key);
    return found == parameters.end() ? "" : found->second;
  }
};

// All challenges of one header field, in order. What does not follow the
// grammar is passed over: the field is the other side's.
std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace cbuild::registry
