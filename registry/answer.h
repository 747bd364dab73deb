// Reading what a registry answers when it does not do as asked
// (distribution-spec, "Error Codes").
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "registry/http.h"

namespace cbuild::registry {

// The registry's words in an answer: "manifest unknown", or the status' own
// ("Bad Gateway"); and its code ("MANIFEST_UNKNOWN"), or empty.
struct RegistryWords {
  std::string message;
  std::string code;
};
RegistryWords words_of(const HttpResponse& response);

// Retry-After, as seconds or as a date.
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

// "localhost:5000 answered 404 (MANIFEST_UNKNOWN): manifest unknown".
std::string describe(const HttpResponse& response);

// Throws HttpFailure with describe().
[[noreturn]] void throw_status(const HttpResponse& response);

}  // namespace cbuild::registry
