// Programs that keep credentials: docker-credential-<name> (docker's
// docker-credential-helpers protocol).
//
//   get    server on stdin    {"ServerURL", "Username", "Secret"} on stdout
//   store  the same JSON on stdin
//   erase  server on stdin
//
// Exit 1 with "credentials not found in native keychain" on stdout is an
// answer. All else that fails throws CredentialsError with the program's words.
// A call blocks until the program has ended.
#pragma once

#include <optional>
#include <string>

namespace cbuild::registry {

class CredentialHelper {
 public:
  // `name` as config.json has it: "ecr-login".
  explicit CredentialHelper(const std::string& name)
      : program_("docker-credential-" + name) {}

  const std::string& program() const { return program_; }

  struct Entry {
    std::string username;  // "<token>": the secret is an identity token
    std::string secret;
  };
  std::optional<Entry> get(const std::string& server) const;
  void store(const std::string& server, const Entry& entry) const;
  // False where the program knew nothing of the server.
  bool erase(const std::string& server) const;

 private:
  struct Output {
    int exit_code;
    std::string text;
  };
  Output run(const char* verb, const std::string& input) const;
  [[noreturn]] void fail(const char* verb, const std::string& why) const;

  std::string program_;
};

}  // namespace cbuild::registry
