// What can go wrong with a registry, as far as a caller tells it apart.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cbuild::registry {

// The registry, or the way to it, failed: exit code 5. status() is the HTTP
// status, 0 where there was no answer; code() the registry's own word
// ("MANIFEST_UNKNOWN"), or empty. URLs in messages never carry credentials.
class RegistryError : public Error {
 public:
  RegistryError(std::string message, int status, std::string code)
      : Error(std::move(message)), status_(status), code_(std::move(code)) {}
  int status() const noexcept { return status_; }
  const std::string& code() const noexcept { return code_; }

 private:
  int status_;
  std::string code_;
};

// The registry refused who we are, or a credential helper failed: exit code 4.
// The message says which file or helper the credentials came from.
class CredentialsError : public Error {
 public:
  using Error::Error;
};

}  // namespace cbuild::registry
