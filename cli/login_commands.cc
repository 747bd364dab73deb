// cbuild login and cbuild logout: credentials for registries.
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "registry/credentials.h"

namespace cbuild::cli {
namespace {

constexpr Flag kLoginFlags[] = {
    {"Options", "-u,--username", Takes::one, "NAME", "User name"},
    {"Options", "-p,--password", Takes::one, "PASSWORD",
     "Password or token (others on this machine can see it)"},
    {"Options", "--password-stdin", Takes::nothing, "",
     "Read the password from standard input"},
};
constexpr FlagTable kLoginTable = {{kLoginFlags, kRegistryFlags, kGlobalFlags}};
constexpr FlagTable kLogoutTable = {{kGlobalFlags}};

void check_terminal() {
  if (::isatty(STDIN_FILENO) != 1)
    throw UsageError(
        "cannot ask for credentials without a terminal: give --username and "
        "--password-stdin");
}

// docker's name for Docker Hub in messages, the domain for the rest.
std::string domain_of(const Arguments& args) {
  if (args.words().empty()) return "docker.io";
  std::string domain = args.words().front();
  for (const char* scheme : {"https://", "http://"})
    if (domain.starts_with(scheme)) domain.erase(0, std::string(scheme).size());
  domain = domain.substr(0, domain.find('/'));
  return domain == "index.docker.io" ? "docker.io" : domain;
}

registry::Credentials read_credentials(Session& session) {
  const Arguments& args = session.args();
  if (args.has("password") && args.has("password-stdin"))
    throw UsageError("--password and --password-stdin are mutually exclusive");
  registry::Credentials credentials;
  credentials.source = "the command line";
  credentials.username = args.value("username");
  if (args.has("password-stdin")) {
    if (credentials.username.empty())
      throw UsageError("must provide --username with --password-stdin");
    credentials.password =
        trim(read_all(STDIN_FILENO, "standard input"), "\r\n");
    return credentials;
  }
  if (args.has("password")) {
    warn("--password can be seen by others; --password-stdin cannot");
    credentials.password = args.value("password");
  }
  if (credentials.username.empty()) {
    check_terminal();
    credentials.username = trim(ask("Username: ", session.stop()));
  }
  if (credentials.password.empty()) {
    check_terminal();
    credentials.password = ask_secretly("Password: ", session.stop());
  }
  return credentials;
}

void run_login(Session& session) {
  const std::string domain = domain_of(session.args());
  const registry::Credentials credentials = read_credentials(session);
  if (credentials.username.empty() || credentials.password.empty())
    throw UsageError("user name and password must not be empty");
  registry::Client(session.client_options()).check_login(domain, credentials);
  registry::CredentialStore store;
  const std::string where = store.save(domain, credentials);
  print_error("Credentials for " + domain + " are kept in " + where);
  print("Login Succeeded\n");
}

void run_logout(Session& session) {
  const std::string domain = domain_of(session.args());
  registry::CredentialStore store;
  print("Removing login credentials for " + domain + "\n");
  if (!store.erase(domain)) print("Not logged in to " + domain + "\n");
}

}  // namespace

const Command kLoginCommand = {
    "login",
    "[OPTIONS] [REGISTRY]",
    "Check and keep credentials for a registry",
    R"(REGISTRY is a host or host:port; without it, Docker Hub. Credentials go where
docker keeps them: the credential helper that ~/.docker/config.json names, or
that file.

Examples:
  cbuild login -u me --password-stdin registry.example <token
)",
    kLoginTable,
    0,
    1,
    run_login,
};

const Command kLogoutCommand = {
    "logout", "[REGISTRY]", "Forget credentials for a registry",
    "",       kLogoutTable, 0,
    1,        run_logout,
};

}  // namespace cbuild::cli
