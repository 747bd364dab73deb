#include "registry/credentials.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/dir.h"
#include "base/fd.h"
#include "base/text.h"
#include "registry/credential_helper.h"
#include "registry/errors.h"

namespace cbuild::registry {
namespace {

// Keeps the order of keys, so that saving changes only what it has to.
using Json = nlohmann::ordered_json;

constexpr const char* kHubKey = "https://index.docker.io/v1/";
constexpr const char* kEnvironment = "DOCKER_AUTH_CONFIG";
constexpr const char* kTokenUser = "<token>";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string default_path() {
  const std::string directory = environment("DOCKER_CONFIG");
  if (!directory.empty()) return directory + "/config.json";
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.docker/config.json";
}

bool is_hub(std::string_view host) {
  return host == "docker.io" || host == "index.docker.io" ||
         host == "registry-1.docker.io";
}

// The name under which helpers and `auths` know a registry.
std::string server_key(const std::string& domain) {
  return is_hub(domain) ? kHubKey : domain;
}

Json parse_config(std::string_view text, const std::string& where) {
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object())
    throw CredentialsError(where + " is not a JSON object");
  return config;
}

std::optional<Json> read_config(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const std::optional<std::string> text = read_file(path);
  if (!text || trim(*text).empty()) return std::nullopt;
  return parse_config(*text, path);
}

std::string text_of(const Json& object, const char* key,
                    const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  if (!found->is_string())
    throw CredentialsError(where + ": \"" + key + "\" is not a string");
  return found->get<std::string>();
}

const Json* member(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && found->is_object() ? &*found : nullptr;
}

// How well an `auths` key fits: 0 not at all, 1 its host is ours, more for each
// byte of a name space that holds `path`.
std::size_t fitness(std::string_view key, const std::string& domain,
                    const std::string& path) {
  const std::size_t scheme = key.find("://");
  const bool is_url = scheme != std::string_view::npos;
  if (is_url) key.remove_prefix(scheme + 3);
  const std::size_t slash = key.find('/');
  const std::string_view host = key.substr(0, slash);
  if (host != domain && !(is_hub(host) && is_hub(domain))) return 0;
  if (is_url || slash == std::string_view::npos) return 1;
  const std::string_view space = trim(key.substr(slash + 1), "/");
  if (space.empty() || space == "v1" || space == "v2") return 1;
  if (path != space && !path.starts_with(std::string(space) + "/")) return 0;
  return 1 + space.size();
}

Credentials read_entry(const Json& entry, const std::string& source) {
  Credentials result;
  result.username = text_of(entry, "username", source);
  result.password = text_of(entry, "password", source);
  result.identity_token = text_of(entry, "identitytoken", source);
  result.registry_token = text_of(entry, "registrytoken", source);
  result.source = source;
  const std::string auth = text_of(entry, "auth", source);
  if (auth.empty()) return result;
  const std::optional<std::string> pair = base64_decode(auth);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos)
    throw CredentialsError(source +
                           ": \"auth\" is not the base64 of user:password");
  result.username = pair->substr(0, colon);
  result.password = trim(pair->substr(colon + 1), std::string_view("\0", 1));
  return result;
}

bool is_empty(const Credentials& credentials) {
  return credentials.username.empty() && credentials.password.empty() &&
         credentials.identity_token.empty() &&
         credentials.registry_token.empty();
}

std::optional<Credentials> find_in_auths(const Json& config,
                                         const std::string& domain,
                                         const std::string& path,
                                         const std::string& source) {
  const Json* auths = member(config, "auths");
  if (auths == nullptr) return std::nullopt;
  std::size_t best = 0;
  std::optional<Credentials> result;
  for (const auto& [key, entry] : auths->items()) {
    if (!entry.is_object()) continue;
    std::size_t fit = 2 * fitness(key, domain, path);
    // Of two keys that fit alike docker takes the one written its own way.
    if (fit != 0 && key == server_key(domain)) ++fit;
    if (fit <= best) continue;
    Credentials found = read_entry(entry, source);
    // `docker login` leaves "{}" behind where a helper has the credentials.
    if (is_empty(found)) continue;
    best = fit;
    result = std::move(found);
  }
  return result;
}

// The helpers that the file names for a registry, the one that counts first.
std::vector<CredentialHelper> helpers(const Json& config,
                                      const std::string& domain,
                                      const std::string& where) {
  std::vector<CredentialHelper> result;
  if (const Json* by_host = member(config, "credHelpers")) {
    for (const auto& [key, name] : by_host->items())
      if (fitness(key, domain, "") != 0 && name.is_string())
        result.emplace_back(name.get<std::string>());
  }
  const std::string store = text_of(config, "credsStore", where);
  if (!store.empty()) result.emplace_back(store);
  return result;
}

std::optional<Credentials> ask(const CredentialHelper& helper,
                               const std::string& domain) {
  const auto entry = helper.get(server_key(domain));
  if (!entry || entry->secret.empty()) return std::nullopt;
  Credentials result;
  result.source = helper.program();
  if (entry->username == kTokenUser) {
    result.identity_token = entry->secret;
  } else {
    result.username = entry->username;
    result.password = entry->secret;
  }
  return result;
}

// Where the file really is, or will be: a config.json that is a symbolic link
// stays one, also where its target does not exist yet.
std::filesystem::path follow_links(std::filesystem::path path) {
  constexpr int kMaxLinks = 40;
  for (int i = 0; i < kMaxLinks && std::filesystem::is_symlink(path); ++i)
    path = path.parent_path() / std::filesystem::read_symlink(path);
  return path;
}

void write_config(const std::string& path, const Json& config) {
  if (path.empty())
    throw CredentialsError(
        "nowhere to keep credentials: neither DOCKER_CONFIG nor HOME is set");
  const std::filesystem::path real =
      follow_links(std::filesystem::absolute(path));
  const std::string parent = real.parent_path();
  make_dirs(parent, 0700);
  const Fd directory = open_path(parent, O_RDONLY | O_DIRECTORY);
  replace_file_at(
      directory.get(), real.filename(),
      config.dump(1, '\t', false, Json::error_handler_t::replace) + "\n",
      /*durable=*/true, 0600);
}

}  // namespace

CredentialStore::CredentialStore(std::string config_path)
    : path_(std::move(config_path)) {
  if (!path_.empty()) return;
  path_ = default_path();
  use_environment_ = true;
}

std::optional<Credentials> CredentialStore::find(
    const std::string& domain, const std::string& path) const {
  const std::string given = use_environment_ ? environment(kEnvironment) : "";
  if (!given.empty()) {
    const std::string source = std::string("$") + kEnvironment;
    auto found =
        find_in_auths(parse_config(given, source), domain, path, source);
    if (found) return found;
  }
  const std::optional<Json> config = read_config(path_);
  if (!config) return std::nullopt;
  for (const CredentialHelper& helper : helpers(*config, domain, path_)) {
    auto found = in_context(path_, [&] { return ask(helper, domain); });
    if (found) return found;
  }
  return find_in_auths(*config, domain, path, path_);
}

std::string CredentialStore::save(const std::string& domain,
                                  const Credentials& credentials) {
  Json config = read_config(path_).value_or(Json::object());
  const auto helper = helpers(config, domain, path_);
  if (!helper.empty()) {
    const bool token = !credentials.identity_token.empty();
    helper.front().store(
        server_key(domain),
        token ? CredentialHelper::Entry{kTokenUser, credentials.identity_token}
              : CredentialHelper::Entry{credentials.username,
                                        credentials.password});
    return helper.front().program();
  }
  Json entry = Json::object();
  if (!credentials.username.empty() || !credentials.password.empty())
    entry["auth"] =
        base64_encode(credentials.username + ":" + credentials.password);
  if (!credentials.identity_token.empty())
    entry["identitytoken"] = credentials.identity_token;
  if (!credentials.registry_token.empty())
    entry["registrytoken"] = credentials.registry_token;
  Json& auths = config["auths"];
  if (!auths.is_null() && !auths.is_object())
    throw CredentialsError(path_ + ": \"auths\" is not an object");
  auths[server_key(domain)] = entry;
  write_config(path_, config);
  return path_;
}

bool CredentialStore::erase(const std::string& domain) {
  std::optional<Json> config = read_config(path_);
  if (!config) return false;
  bool erased = false;
  for (const CredentialHelper& helper : helpers(*config, domain, path_))
    erased = helper.erase(server_key(domain)) || erased;
  const auto auths = config->find("auths");
  if (auths == config->end() || !auths->is_object()) return erased;
  std::vector<std::string> doomed;
  for (const auto& [key, entry] : auths->items())
    if (fitness(key, domain, "") != 0) doomed.push_back(key);
  if (doomed.empty()) return erased;
  for (const std::string& key : doomed) auths->erase(key);
  write_config(path_, *config);
  return true;
}

}  // namespace cbuild::registry
