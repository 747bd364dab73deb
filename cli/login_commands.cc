// cbuild login and cbuild logout: credentials for registries.
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
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

// Turns the terminal's echo off while it lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &silent) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_ = {};
  bool changed_ = false;
};

// A line typed by the person at the terminal.
std::string ask(const std::string& prompt, const std::atomic<bool>* stop) {
  if (::isatty(STDIN_FILENO) != 1)
    throw UsageError(
        "cannot ask for credentials without a terminal: give --username and "
        "--password-stdin");
  write_all(STDERR_FILENO, prompt, "terminal");
  std::string line;
  char c = 0;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (stop->load()) throw Interrupted();
    if (got <= 0 || c == '\n') return line;
    line += c;
  }
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
  if (credentials.username.empty())
    credentials.username = trim(ask("Username: ", session.stop()));
  if (args.has("password")) {
    warn("--password can be seen by others; --password-stdin cannot");
    credentials.password = args.value("password");
    return credentials;
  }
  const NoEcho no_echo;
  credentials.password = ask("Password: ", session.stop());
  print_error("");
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
