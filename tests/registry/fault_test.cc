// What goes wrong on the way, against the server of fault_server.py.

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <thread>

#include "registry/errors.h"
#include "tests/registry/client_fixture.h"

using namespace cbuild;
using namespace cbuild::registry;
using nlohmann::json;

namespace {

const store::Platform kAmd64{"linux", "amd64"};
constexpr std::size_t kBig = 3 << 20;

// A server with those faults that holds an image with a layer of kBig bytes.
// The faults spare the push if they match GET only.
struct Served {
  Served(std::initializer_list<json> faults, json more = json::object())
      : Served(std::vector<json>(faults), std::move(more)) {}
  explicit Served(const std::vector<json>& faults, json more = json::object())
      : server([&] {
          more["faults"] = faults;
          return more;
        }()),
        from(server.reference("app:1")) {
    push_to(here.store, image, from);
  }

  void pull() {
    Client client(quick());
    client.fetch_layers(*elsewhere, from,
                        client.resolve(*elsewhere, from, kAmd64));
  }
  const store::Digest& layer() const { return image.manifest.layers[0].digest; }
  std::string layer_path() const { return "/blobs/" + layer().text(); }

  Workplace here;
  store::Image image = make_image(here.store, {noise(kBig)});
  std::unique_ptr<store::Store> elsewhere = here.second_store();
  FaultServer server;
  Reference from;
};

json fault(const std::string& match, const std::string& what,
           json more = json::object()) {
  more["match"] = match;
  more["do"] = what;
  return more;
}

json answers(const std::string& match, int status, int times,
             json headers = json::object(), const std::string& body = {}) {
  return {{"match", match}, {"do", "status"},     {"status", status},
          {"times", times}, {"headers", headers}, {"body", body}};
}

}  // namespace

TEST_CASE("answers that may pass are tried again") {
  if (!FaultServer::available()) return;
  for (const auto& statuses : {std::vector<int>{408, 429, 500, 502},
                               std::vector<int>{503, 504, 520}}) {
    std::vector<json> faults = {answers("GET .*/blobs/", statuses[0], 1)};
    for (const int status : statuses)
      faults.push_back(answers("GET .*/manifests/", status, 1));
    Served served(faults);
    CHECK_NOTHROW(served.pull());
    CHECK(served.server.requests("GET /v2/app/manifests/").size() ==
          statuses.size() + 1);
  }
}

TEST_CASE("five failures are enough, and the last one is told") {
  if (!FaultServer::available()) return;
  Served served({answers("GET .*/manifests/", 503, 100, json::object(),
                         "the database is down")});
  CHECK_THROWS_WITH(served.pull(),
                    Catch::Contains("tried 5 times: ") &&
                        Catch::Contains("answered 503: the database is down"));
  CHECK(served.server.requests("GET /v2/app/manifests/").size() == 5);
}

TEST_CASE("Retry-After is honoured, unless it is too long") {
  if (!FaultServer::available()) return;
  Served served({answers("GET .*/manifests/", 429, 1, {{"Retry-After", "1"}})});
  const auto start = std::chrono::steady_clock::now();
  CHECK_NOTHROW(served.pull());
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::seconds(1));

  Served busy({answers("GET .*/manifests/", 429, 1, {{"Retry-After", "21600"}},
                       R"({"errors": [{"code": "TOOMANYREQUESTS",
                           "message": "pull rate limit"}]})")});
  CHECK_THROWS_WITH(busy.pull(),
                    Catch::Contains("asked to wait 21600 s") &&
                        Catch::Contains("(TOOMANYREQUESTS): pull rate limit"));
}

TEST_CASE("what does not get better is not tried again") {
  if (!FaultServer::available()) return;
  std::vector<json> faults;
  for (const int status : {400, 404, 410, 501})
    faults.push_back(answers("GET .*/manifests/", status, 1));
  Served served(faults);
  for (std::size_t i = 1; i <= faults.size(); ++i) {
    CHECK_THROWS_AS(served.pull(), RegistryError);
    CHECK(served.server.requests("GET /v2/app/manifests/").size() == i);
  }
}

TEST_CASE("a download that breaks off goes on where it ended") {
  if (!FaultServer::available()) return;
  // The config comes first and is spared.
  Served served({fault("GET .*/blobs/", "truncate",
                       {{"bytes", 1'500'000}, {"skip", 1}, {"times", 2}})});
  CHECK_NOTHROW(served.pull());
  const auto requests =
      served.server.requests("GET /v2/app" + served.layer_path());
  REQUIRE(requests.size() == 3);
  CHECK(requests[0]["range"] == "");
  CHECK(requests[1]["range"] == "bytes=1500000-");
  CHECK(requests[2]["range"] == "bytes=3000000-");
  CHECK(served.elsewhere->blobs.read(served.layer()) ==
        served.here.store.blobs.read(served.layer()));
}

TEST_CASE("a server that knows no ranges sends all again") {
  if (!FaultServer::available()) return;
  Served served(
      {fault("GET .*/blobs/", "truncate", {{"bytes", 2'000'000}, {"skip", 1}}),
       fault("GET .*/blobs/", "norange", {{"skip", 1}})});
  CHECK_NOTHROW(served.pull());
  CHECK(served.elsewhere->blobs.read(served.layer()) ==
        served.here.store.blobs.read(served.layer()));
}

TEST_CASE("a server that always breaks off at once is given up") {
  if (!FaultServer::available()) return;
  Served served({fault("GET .*/blobs/", "truncate",
                       {{"bytes", 10}, {"skip", 1}, {"times", 100}})});
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("tried 5 times") &&
                                       Catch::Contains("broke off"));
  CHECK(!served.elsewhere->blobs.size(served.layer()));
}

TEST_CASE("a connection that is reset is tried again") {
  if (!FaultServer::available()) return;
  Served served({fault("GET .*", "reset", {{"times", 3}})});
  CHECK_NOTHROW(served.pull());
}

TEST_CASE("other bytes than promised are refused and not stored") {
  if (!FaultServer::available()) return;
  for (const char* what : {"manifests", "blobs"}) {
    Served served(
        {fault(std::string("GET .*/") + what, "corrupt", {{"times", 100}})});
    INFO(what);
    CHECK_THROWS_AS(served.pull(), store::DigestMismatch);
    CHECK(!served.elsewhere->blobs.size(served.layer()));
  }
}

TEST_CASE("blobs are fetched from where the registry sends us") {
  if (!FaultServer::available()) return;
  Served served({}, {{"redirect", true}});
  CHECK_NOTHROW(served.pull());
  CHECK(served.server.requests("GET /storage/").size() == 2);
}

TEST_CASE("a signature in a redirect is not shown") {
  if (!FaultServer::available()) return;
  Served served({answers("GET /storage/", 403, 100)}, {{"redirect", true}});
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("answered 403") &&
                                       !Catch::Contains("Signature"));
  Served gone({answers("GET /storage/", 302, 100,
                       {{"Location", "gopher://x/?Signature=secret"}})},
              {{"redirect", true}});
  CHECK_THROWS_WITH(gone.pull(), Catch::Contains("leads to no URL") &&
                                     !Catch::Contains("Signature"));
}

TEST_CASE("redirects in a circle come to an end") {
  if (!FaultServer::available()) return;
  Served served({answers("GET .*/manifests/", 302, 100,
                         {{"Location", "/v2/app/manifests/1"}})});
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("more than 10 redirects"));
}

TEST_CASE("an upload that breaks off is started anew") {
  if (!FaultServer::available()) return;
  Served served({fault("PUT .*/uploads/", "swallow", {{"bytes", 100'000}}),
                 answers("PUT .*/uploads/", 500, 1),
                 answers("POST .*/uploads/", 503, 1),
                 answers("PUT .*/manifests/", 502, 1)});
  CHECK_NOTHROW(served.pull());
}

TEST_CASE("schema 1 is refused with what to do") {
  if (!FaultServer::available()) return;
  Served served({answers("GET .*/manifests/", 200, 1,
                         {{"Content-Type",
                           "application/vnd.docker.distribution.manifest.v1+"
                           "prettyjws"}},
                         R"({"schemaVersion": 1, "fsLayers": []})")});
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("schema 1") &&
                                       Catch::Contains("not supported"));
}

TEST_CASE("what is no image is said to be none") {
  if (!FaultServer::available()) return;
  const json helm = {
      {"schemaVersion", 2},
      {"config",
       {{"mediaType", "application/vnd.cncf.helm.config.v1+json"},
        {"digest", "sha256:" + std::string(64, '0')},
        {"size", 2}}},
      {"layers", json::array()}};
  Served served(
      {answers("GET .*/manifests/", 200, 1, json::object(), helm.dump()),
       answers("GET .*/manifests/", 200, 1, json::object(), "<html>"),
       answers("GET .*/manifests/", 200, 1, json::object(), "{}")});
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("not an image but holds"));
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("not a JSON object"));
  CHECK_THROWS_WITH(served.pull(), Catch::Contains("not an image"));
}

TEST_CASE("a registry that stores another manifest than sent is caught") {
  if (!FaultServer::available()) return;
  const std::string other = "sha256:" + std::string(64, 'a');
  CHECK_THROWS_WITH(Served({answers("PUT .*/manifests/", 201, 1,
                                    {{"Docker-Content-Digest", other}})}),
                    Catch::Contains("stored the manifest as " + other));
}

TEST_CASE("nobody there, no such host, no TLS: each is told apart") {
  Workplace here;
  Client client(quick());
  const auto problem = [&](const std::string& name) -> std::string {
    try {
      client.resolve(here.store, Reference::parse(name), kAmd64);
      return "";
    } catch (const RegistryError& e) {
      CHECK(e.status() == 0);
      return e.what();
    }
  };
  CHECK(problem("127.0.0.1:1/app:1") ==
        "127.0.0.1:1/app:1: cannot connect to 127.0.0.1:1: Connection refused");
  // A name that RFC 6761 keeps from ever being one.
  CHECK(problem("registry.invalid/app:1")
            .find("cannot find host "
                  "registry.invalid") != std::string::npos);
}

TEST_CASE("a push goes on where the registry mistakes a digest",
          "[registry][fault]") {
  const std::string body =
      R"({"errors":[{"code":"DIGEST_INVALID","message":"did not match"}]})";
  Workplace here;
  const store::Image image = make_image(here.store, {"a", "b"});
  const json faults = {answers("PUT .*/manifests/", 400, 2, {}, body),
                       answers("PUT .*/blobs/", 400, 1, {}, body)};
  FaultServer server(json{{"faults", faults}});
  Client client(quick());
  CHECK(client.push(here.store, image, server.reference("app:1")) ==
        image.descriptor.digest);
  CHECK(server.requests("PUT /v2/app/manifests/").size() == 3);
}

namespace {

void damage(const store::Store& store, const store::Digest& blob) {
  const auto size = store.blobs.size(blob);
  const Fd file = open_path(store.blobs.path(blob), O_WRONLY);
  write_all(file.get(), std::string(*size, 'x'), "blob");
}

}  // namespace

TEST_CASE("only where a registry may mean the bytes are they hashed again",
          "[registry][fault]") {
  Workplace here;
  const store::Image image = make_image(here.store, {"a", "b"});
  const store::Digest& layer = image.manifest.layers[0].digest;
  damage(here.store, layer);
  FaultServer server(
      json{{"faults", {answers("PUT .*/blobs/", 403, 100, {}, "")}}});
  Client client(quick());
  CHECK_THROWS_AS(client.push(here.store, image, server.reference("app:1")),
                  Error);
  CHECK(here.store.blobs.size(layer));
}

TEST_CASE("a damaged blob is not pushed, and is told of", "[registry][fault]") {
  Workplace here;
  const store::Image image = make_image(here.store, {"a", "b"});
  const store::Digest& layer = image.manifest.layers[0].digest;
  damage(here.store, layer);
  FaultServer server(json::object());
  Client client(quick());
  CHECK_THROWS_WITH(client.push(here.store, image, server.reference("app:1")),
                    Catch::Contains(layer.short_text()) &&
                        Catch::Contains("damaged in the store, and dropped"));
  CHECK_FALSE(here.store.blobs.size(layer));
  CHECK(server.requests("PUT /v2/app/manifests/").empty());
}

TEST_CASE("a set stop flag ends a transfer and a pause") {
  if (!FaultServer::available()) return;
  Served served(
      {answers("GET .*/manifests/", 503, 100, {{"Retry-After", "60"}})});
  std::atomic<bool> stop = true;
  ClientOptions options = quick();
  options.stop = &stop;
  Client client(options);
  CHECK_THROWS_AS(client.resolve(*served.elsewhere, served.from, kAmd64),
                  Interrupted);
  stop = false;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop = true;
  });
  CHECK_THROWS_AS(client.resolve(*served.elsewhere, served.from, kAmd64),
                  Interrupted);
  later.join();
}
