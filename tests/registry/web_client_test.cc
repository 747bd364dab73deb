// Files from a real HTTP server (web_server.py).
#include "registry/web_client.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "client_fixture.h"

namespace cbuild::registry {
namespace {

struct Web {
  TempDir directory{test::temp_root(), "web-"};
  test::Server server{
      {"python3", CBUILD_SOURCE_DIR "/tests/registry/web_server.py",
       directory.path()},
      directory.path() + "/.log"};
  std::string base =
      "http://127.0.0.1:" + server.wait_for("port ", "0123456789");
  WebClient client{quick()};
  std::string content;

  void file(const std::string& name, const std::string& text) {
    std::ofstream(directory.path() + "/" + name) << text;
  }
  WebAnswer get(WebRequest request) {
    request.url = base + request.url;
    return client.get(request,
                      [&](std::uint64_t offset, std::string_view data) {
                        content.resize(offset);
                        content += data;
                      });
  }
};

TEST_CASE("a file comes with its ETag and time, and 304 without content",
          "[registry]") {
  if (!FaultServer::available()) return;
  Web web;
  web.file("a", "hello");
  const WebAnswer first = web.get({.url = "/a"});
  CHECK(first.status == 200);
  CHECK(web.content == "hello");
  CHECK(parse_http_date(first.last_modified));
  web.content.clear();
  CHECK(web.get({.url = "/a", .etag = first.etag}).status == 304);
  CHECK(web.get({.url = "/a", .head = true}).etag == first.etag);
  CHECK(web.content.empty());
}

TEST_CASE("what passes is tried again from the start", "[registry]") {
  if (!FaultServer::available()) return;
  Web web;
  web.file("a", "hello hello");
  web.file("503", "later");
  web.get({.url = "/short/a"});
  CHECK(web.content == "hello hello");
  web.get({.url = "/status/503"});
  CHECK(web.content == "later");
}

TEST_CASE("refusals of a web server by kind", "[registry]") {
  if (!FaultServer::available()) return;
  Web web;
  web.file("a", "1");
  CHECK_THROWS_WITH(web.get({.url = "/missing"}),
                    Catch::Contains("invalid response status 404"));
  CHECK_THROWS_AS(web.get({.url = "/private/a"}), CredentialsError);
  CHECK(web.get({.url = "/private/a", .authorization = "Bearer secret"}).ok());
  CHECK(web.get({.url = "/missing", .head = true}).status == 404);
  CHECK_THROWS_AS(web.client.get({.url = "ftp://h/x"}, {}), RegistryError);
}

TEST_CASE("an Authorization does not follow a redirect to another host",
          "[registry]") {
  if (!FaultServer::available()) return;
  Web web;
  web.file("a", "1");
  CHECK(web.get({.url = "/to/a", .authorization = "Bearer secret"}).ok());
  const std::string log = web.server.log();
  CHECK(log.find(R"({"request": "GET /to/a", "auth": "Bearer secret"})") !=
        std::string::npos);
  CHECK(log.find(R"({"request": "GET /a", "auth": ""})") != std::string::npos);
}

TEST_CASE("the three forms of a date in HTTP", "[registry]") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK_FALSE(parse_http_date("yesterday"));
  CHECK_FALSE(parse_http_date(""));
}

}  // namespace
}  // namespace cbuild::registry
