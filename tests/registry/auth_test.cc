// Tokens and passwords, against the server of fault_server.py.

#include <catch2/catch.hpp>
#include <thread>

#include "base/text.h"
#include "registry/errors.h"
#include "tests/registry/client_fixture.h"

using namespace cbuild;
using namespace cbuild::registry;
using nlohmann::json;

namespace {

const store::Platform kAmd64{"linux", "amd64"};

std::string config_for(const FaultServer& server, const json& entry) {
  return json{{"auths", {{server.host(), entry}}}}.dump();
}

json pair(const std::string& user, const std::string& password) {
  return {{"auth", base64_encode(user + ":" + password)}};
}

json bearer(json more = json::object()) {
  more["auth"] = "bearer";
  more["user"] = "ann";
  more["password"] = "sesame";
  return more;
}

}  // namespace

TEST_CASE("one token serves a whole push, and anonymous may pull") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  const store::Image image = make_image(here.store, {"one", "two", "three"});
  const Reference to = server.reference("team/app:1");
  push_to(here.store, image, to);
  REQUIRE(server.tokens().size() == 1);
  CHECK(server.tokens()[0]["scopes"] ==
        json({"repository:team/app:pull,push"}));
  // The password goes to the token service only, never before it is asked for.
  for (const json& request : server.requests("/v2/"))
    CHECK(request["auth"] != "Basic");
  CHECK(server.requests()[0]["auth"] == "");

  here.write_config("{}");
  const auto elsewhere = here.second_store();
  Client client(quick());
  const store::Image pulled = client.resolve(*elsewhere, to, kAmd64);
  client.fetch_layers(*elsewhere, to, pulled);
  CHECK(pulled.descriptor.digest == image.descriptor.digest);
  CHECK(server.tokens().size() == 2);
}

TEST_CASE("anonymous may not push, and is told why") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  const store::Image image = make_image(here.store, {"one"});
  CHECK_THROWS_AS(push_to(here.store, image, server.reference("app:1")),
                  CredentialsError);
  CHECK_THROWS_WITH(
      push_to(here.store, image, server.reference("app:1")),
      Catch::Contains("push access to " + server.host() + "/app denied") &&
          Catch::Contains("there are none for " + server.host() + " in " +
                          here.directory.path()));
}

TEST_CASE("a wrong password is refused with the name of where it came from") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  here.write_config(config_for(server, pair("ann", "wrong")));
  Client client(quick());
  CHECK_THROWS_WITH(
      client.resolve(here.store, server.reference("app:1"), kAmd64),
      Catch::Contains("denied for user ann from " + here.directory.path() +
                      "/config.json") &&
          Catch::Contains("incorrect username or password") &&
          !Catch::Contains("wrong"));
}

TEST_CASE("a token service that knows only POST is asked with POST") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer({{"token_get", false}}));
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  const store::Image image = make_image(here.store, {"one"});
  CHECK_NOTHROW(push_to(here.store, image, server.reference("app:1")));
  CHECK(server.requests("POST /token").size() == 1);
}

TEST_CASE("an identity token is traded for a token") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer({{"identity", "refresh-me"}}));
  Workplace here;
  here.write_config(config_for(server, {{"identitytoken", "refresh-me"}}));
  const store::Image image = make_image(here.store, {"one"});
  CHECK_NOTHROW(push_to(here.store, image, server.reference("app:1")));
  CHECK(server.requests("GET /token").empty());
}

TEST_CASE("a registry token is the bearer token as it is") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  here.write_config(config_for(server, {{"registrytoken", "never-given"}}));
  Client client(quick());
  CHECK_THROWS_WITH(
      client.resolve(here.store, server.reference("app:1"), kAmd64),
      Catch::Contains("denied for the registry token from"));
  CHECK(server.requests("/token").empty());
  CHECK(server.requests("manifests").back()["auth"] == "Bearer");
}

TEST_CASE("a token that ends under way is replaced") {
  if (!FaultServer::available()) return;
  // It claims 300 s and is refused after the first requests.
  const FaultServer server(bearer(
      {{"faults",
        {{{"match", "POST .*/uploads/"},
          {"do", "status"},
          {"status", 401},
          {"headers",
           {{"WWW-Authenticate",
             "Bearer realm=\"/nowhere\",error=\"invalid_token\""}}}}}}}));
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  const store::Image image = make_image(here.store, {"one"});
  // The realm of that answer is no URL: it is said, and nothing is sent there.
  CHECK_THROWS_WITH(push_to(here.store, image, server.reference("app:1")),
                    Catch::Contains("names no usable token service"));

  const FaultServer kinder(bearer({{"token_ttl", 0.3}}));
  here.write_config(config_for(kinder, pair("ann", "sesame")));
  Client client(quick());
  client.push(here.store, image, kinder.reference("app:1"));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  CHECK_NOTHROW(client.push(here.store, image, kinder.reference("app:2")));
  CHECK(kinder.tokens().size() >= 2);
}

TEST_CASE("a mount asks for the right to read the other repository") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  const store::Image image = make_image(here.store, {"one"});
  ClientOptions options = quick();
  options.parallel = 1;
  Client client(options);
  client.push(here.store, image, server.reference("base:1"));
  // What is in memory of this server is in every repository: look elsewhere.
  const std::size_t before = server.requests("mount=").size();
  client.push(here.store, image, server.reference("app:1"));
  CHECK(server.requests("mount=").size() == before);
}

TEST_CASE("Basic is sent when asked for, and only to the registry") {
  if (!FaultServer::available()) return;
  const FaultServer server({{"auth", "basic"},
                            {"user", "ann"},
                            {"password", "sesame"},
                            {"redirect", true}});
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  const store::Image image = make_image(here.store, {"one", "two"});
  const Reference to = server.reference("app:1");
  push_to(here.store, image, to);
  const auto elsewhere = here.second_store();
  Client client(quick());
  client.fetch_layers(*elsewhere, to, client.resolve(*elsewhere, to, kAmd64));
  const auto storage = server.requests("/storage/");
  CHECK(storage.size() == 3);
  for (const json& request : storage) CHECK(request["auth"] == "");
}

TEST_CASE("login checks what it is given, not what is known") {
  if (!FaultServer::available()) return;
  const FaultServer server(bearer());
  Workplace here;
  here.write_config(config_for(server, pair("ann", "sesame")));
  Client client(quick());
  CHECK_NOTHROW(client.check_login(server.host(),
                                   {.username = "ann", .password = "sesame"}));
  CHECK_THROWS_WITH(
      client.check_login(
          server.host(),
          {.username = "bob", .password = "x", .source = "standard input"}),
      Catch::Contains("access to " + server.host() +
                      " denied for user bob from standard input"));
}
