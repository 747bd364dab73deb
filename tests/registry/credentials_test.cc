#include "registry/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/dir.h"
#include "base/text.h"
#include "registry/errors.h"
#include "tests/support/local_registry.h"
#include "tests/support/program.h"

using namespace cbuild;
using cbuild::registry::Credentials;
using cbuild::registry::CredentialsError;
using cbuild::registry::CredentialStore;
using cbuild::test::Environment;

namespace {

// A config.json, and a $PATH with helpers beside it.
struct Home {
  TempDir directory{test::temp_root(), "credentials-"};
  std::string file = directory.path() + "/config.json";
  Environment environment{{{"DOCKER_CONFIG", directory.path()},
                           {"DOCKER_AUTH_CONFIG", std::nullopt},
                           {"HELPER_STATE", directory.path() + "/kept"},
                           {"PATH", directory.path() + ":/usr/bin:/bin"}}};

  void write(const std::string& name, const std::string& text,
             unsigned mode = 0600) {
    const Fd dir = open_path(directory.path(), O_RDONLY | O_DIRECTORY);
    replace_file_at(dir.get(), name, text, false, mode);
  }
  std::string read(const std::string& name) {
    return read_file(directory.path() + "/" + name).value_or("(none)");
  }
};

std::string user_of(const std::string& domain, const std::string& path = {}) {
  const auto found = CredentialStore().find(domain, path);
  return found ? found->username + ":" + found->password : "(none)";
}

std::string auth(const std::string& pair) {
  return R"({"auth": ")" + base64_encode(pair) + "\"}";
}

// Keeps one entry for each server in a file of its own.
constexpr const char* kHelper = R"(#!/bin/sh
read -r input
case $1 in
get) case $input in
  broken*) echo "the vault is locked"; exit 1 ;;
  token*) printf '{"Username":"<token>","Secret":"t0ken"}' ;;
  ours*) printf '{"ServerURL":"%s","Username":"helped","Secret":"h"}' "$input" ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
  esac ;;
store) printf '%s' "$input" > "$HELPER_STATE" ;;
erase) printf 'erase %s' "$input" > "$HELPER_STATE" ;;
esac
)";

}  // namespace

TEST_CASE("no config.json is no credentials") {
  const Home home;
  CHECK(!CredentialStore().find("reg.example"));
  CHECK(!CredentialStore().erase("reg.example"));
}

TEST_CASE("auths hold a pair in base64, or in the open, or tokens") {
  Home home;
  home.write("config.json",
             R"({"auths": {"a.example": )" + auth("ann:se:cret") +
                 R"(, "b.example": {"username": "bob", "password": "pw"},
      "c.example": {"auth": ")" +
                 base64_encode(std::string("nul:pw\0\0", 8)) +
                 R"("}, "d.example": {"identitytoken": "it"},
      "e.example": {"registrytoken": "rt"}, "f.example": {}}})");
  CHECK(user_of("a.example") == "ann:se:cret");
  CHECK(user_of("b.example") == "bob:pw");
  CHECK(user_of("c.example") == "nul:pw");
  CHECK(CredentialStore().find("d.example")->identity_token == "it");
  CHECK(CredentialStore().find("e.example")->registry_token == "rt");
  CHECK(!CredentialStore().find("f.example"));
  CHECK(CredentialStore().find("a.example")->source == home.file);
}

TEST_CASE("Docker Hub is known by all its names") {
  for (const char* key : {"https://index.docker.io/v1/", "docker.io",
                          "index.docker.io", "registry-1.docker.io"}) {
    Home home;
    home.write("config.json", R"({"auths": {")" + std::string(key) +
                                  "\": " + auth("u:p") + "}}");
    INFO(key);
    CHECK(user_of("docker.io") == "u:p");
    CHECK(user_of("reg.example") == "(none)");
  }
}

TEST_CASE("a key may be a URL; one with a name space serves what is below it") {
  Home home;
  home.write("config.json", R"({"auths": {
      "https://a.example/v1/": )" +
                                auth("url:1") + R"(,
      "q.example": )" + auth("host:1") +
                                R"(, "q.example/team": )" + auth("team:1") +
                                R"(, "q.example/team/app": )" + auth("app:1") +
                                "}}");
  CHECK(user_of("a.example") == "url:1");
  CHECK(user_of("q.example", "other/app") == "host:1");
  CHECK(user_of("q.example", "team/tool") == "team:1");
  CHECK(user_of("q.example", "team/app") == "app:1");
  CHECK(user_of("q.example", "team/app2") == "team:1");
  CHECK(user_of("q.example", "teams/x") == "host:1");
}

TEST_CASE("DOCKER_AUTH_CONFIG goes before the file, but not a file named") {
  Home home;
  home.write("config.json", R"({"auths": {"a.example": )" + auth("file:1") +
                                R"(, "b.example": )" + auth("file:2") + "}}");
  const Environment variable{
      {{"DOCKER_AUTH_CONFIG",
        R"({"auths": {"a.example": )" + auth("env:1") + "}}"}}};
  CHECK(user_of("a.example") == "env:1");
  CHECK(CredentialStore().find("a.example")->source == "$DOCKER_AUTH_CONFIG");
  CHECK(user_of("b.example") == "file:2");
  CHECK(CredentialStore(home.file).find("a.example")->username == "file");
}

TEST_CASE("helpers go before auths, the host's own first") {
  Home home;
  home.write("docker-credential-vault", kHelper, 0755);
  home.write("config.json", R"({"credsStore": "vault",
      "credHelpers": {"special.example": "absent"},
      "auths": {"ours.example": )" +
                                auth("file:1") + R"(, "other.example": )" +
                                auth("file:2") + "}}");
  CHECK(user_of("ours.example") == "helped:h");
  CHECK(CredentialStore().find("ours.example")->source ==
        "docker-credential-vault");
  CHECK(user_of("other.example") == "file:2");
  CHECK(CredentialStore().find("token.example")->identity_token == "t0ken");
  CHECK_THROWS_WITH(CredentialStore().find("broken.example"),
                    Catch::Contains("docker-credential-vault get: the vault "
                                    "is locked"));
  CHECK_THROWS_WITH(CredentialStore().find("special.example"),
                    Catch::Contains(home.file) &&
                        Catch::Contains("docker-credential-absent get: no "
                                        "such program in $PATH"));
}

TEST_CASE("a config.json that cannot be used is an error that names it") {
  Home home;
  for (const char* text :
       {"{", "[]", R"({"auths": {"a.example": {"auth": "!"}}})",
        R"({"auths": {"a.example": {"auth": "bm9jb2xvbg=="}}})",
        R"({"auths": {"a.example": {"username": 1}}})"}) {
    home.write("config.json", text);
    INFO(text);
    CHECK_THROWS_AS(CredentialStore().find("a.example"), CredentialsError);
    CHECK_THROWS_WITH(CredentialStore().find("a.example"),
                      Catch::Contains(home.file));
  }
}

TEST_CASE("saving keeps the other keys, their order, and nobody else reads") {
  Home home;
  home.write("config.json", R"({"zeta": 1, "auths": {"a.example": {}},
      "HttpHeaders": {"X": "y"}})",
             0644);
  CredentialStore store;
  CHECK(store.save("docker.io", {.username = "ann", .password = "pw"}) ==
        home.file);
  CHECK(home.read("config.json") ==
        "{\n\t\"zeta\": 1,\n\t\"auths\": {\n\t\t\"a.example\": {},\n"
        "\t\t\"https://index.docker.io/v1/\": {\n\t\t\t\"auth\": "
        "\"YW5uOnB3\"\n\t\t}\n\t},\n\t\"HttpHeaders\": {\n\t\t\"X\": \"y\"\n"
        "\t}\n}\n");
  struct stat st;
  REQUIRE(::stat(home.file.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  CHECK(user_of("docker.io") == "ann:pw");
  CHECK(store.erase("docker.io"));
  CHECK(!store.erase("docker.io"));
  CHECK(user_of("docker.io") == "(none)");
  CHECK(home.read("config.json").find("HttpHeaders") != std::string::npos);
}

TEST_CASE("saving makes the directory, and writes through a symbolic link") {
  const Home home;
  const std::string link = home.directory.path() + "/link.json";
  const std::string target = home.directory.path() + "/new/dir/real.json";
  REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
  CredentialStore(link).save("a.example", {.username = "u", .password = "p"});
  CHECK(read_file(target));
  CHECK(readlink_at(AT_FDCWD, link) == target);
  CHECK(CredentialStore(link).find("a.example")->username == "u");
}

TEST_CASE("with a helper named, saving and erasing are its work") {
  Home home;
  home.write("docker-credential-vault", kHelper, 0755);
  home.write("config.json", R"({"credsStore": "vault"})");
  CredentialStore store;
  CHECK(store.save("ours.example", {.username = "u", .password = "p"}) ==
        "docker-credential-vault");
  CHECK(home.read("kept") ==
        R"({"ServerURL":"ours.example","Username":"u","Secret":"p"})");
  CHECK(store.erase("docker.io"));
  CHECK(home.read("kept") == "erase https://index.docker.io/v1/");
  CHECK(home.read("config.json") == R"({"credsStore": "vault"})");
}
