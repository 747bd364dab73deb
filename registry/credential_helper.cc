#include "registry/credential_helper.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "registry/errors.h"

namespace cbuild::registry {
namespace {

// What docker-credential-helpers prints where it has no entry.
constexpr std::string_view kNotFound = "credentials not found";

}  // namespace

void CredentialHelper::fail(const char* verb, const std::string& why) const {
  throw CredentialsError(program_ + " " + verb + ": " + why);
}

CredentialHelper::Output CredentialHelper::run(const char* verb,
                                               const std::string& input) const {
  try {
    const ProgramResult result = run_program(
        {.argv = {program_, verb}, .input = input, .interactive = true});
    return {result.exit_code, std::string(trim(result.output))};
  } catch (const SystemError& e) {
    fail(verb, e.code() == ENOENT ? "no such program in $PATH" : e.what());
  }
}

std::optional<CredentialHelper::Entry> CredentialHelper::get(
    const std::string& server) const {
  const Output output = run("get", server);
  if (output.exit_code != 0) {
    if (output.text.find(kNotFound) != std::string::npos) return std::nullopt;
    fail("get", output.text.empty()
                    ? "exit code " + std::to_string(output.exit_code)
                    : output.text);
  }
  const nlohmann::json answer =
      nlohmann::json::parse(output.text, nullptr, false);
  if (!answer.is_object()) fail("get", "its answer is not a JSON object");
  try {
    return Entry{answer.value("Username", ""), answer.value("Secret", "")};
  } catch (const nlohmann::json::exception&) {
    fail("get", "Username and Secret in its answer are not strings");
  }
}

void CredentialHelper::store(const std::string& server,
                             const Entry& entry) const {
  const nlohmann::ordered_json input = {{"ServerURL", server},
                                        {"Username", entry.username},
                                        {"Secret", entry.secret}};
  const Output output =
      run("store",
          input.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (output.exit_code != 0)
    fail("store", output.text.empty()
                      ? "exit code " + std::to_string(output.exit_code)
                      : output.text);
}

bool CredentialHelper::erase(const std::string& server) const {
  const Output output = run("erase", server);
  if (output.exit_code == 0) return true;
  if (output.text.find(kNotFound) != std::string::npos) return false;
  fail("erase", output.text.empty()
                    ? "exit code " + std::to_string(output.exit_code)
                    : output.text);
}

}  // namespace cbuild::registry
