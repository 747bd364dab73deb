// ADD of http(s) URLs: what lands, and when the network is asked.
#include <catch2/catch.hpp>

#include "base/text.h"
#include "builder/web_files.h"
#include "copy_fixture.h"
#include "fakes.h"

namespace cbuild::builder {
namespace {

using testing::World;
using Requests = std::vector<std::string>;

const std::string kUrl = "http://host/dir/file.txt";
const std::string kDate = "Tue, 14 Nov 2023 22:13:20 GMT";

// The one layer that was made.
store::IndexEntry entry(World& world, const std::string& path) {
  const auto layers = world.store().layers.list();
  REQUIRE(layers.size() == 1);
  const auto index = world.store().layers.index(layers.front());
  const store::IndexEntry* found = index->find(path);
  REQUIRE(found != nullptr);
  return *found;
}

TEST_CASE("ADD of a URL is a file 0600 of root with the server's time",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files[kUrl] = {"hello", "", kDate, ""};
  world.build("FROM scratch\nADD " + kUrl + " /\n");
  const store::IndexEntry file = entry(world, "file.txt");
  CHECK(file.mode == 0600);
  CHECK(file.uid == 0);
  CHECK(file.size == 5);
  CHECK(file.mtime_seconds == 1700000000);
}

TEST_CASE("without Last-Modified the time is the epoch; --chmod and a name",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files[kUrl] = {"hello", "", "", ""};
  world.build("FROM scratch\nADD --chmod=755 --chown=7:8 " + kUrl + " /a/b\n");
  const store::IndexEntry file = entry(world, "a/b");
  CHECK(file.mode == 0755);
  CHECK(file.uid == 7);
  CHECK(file.gid == 8);
  CHECK(file.mtime_seconds == 0);
}

TEST_CASE("the fetching of a URL is shown as its step's", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files[kUrl] = {"hello", "\"a\"", kDate, ""};
  const std::string text = "FROM scratch\nADD " + kUrl + " /\n";
  // What was told of the step, in order.
  const auto told = [&] {
    std::string seen;
    for (const Event& event : std::exchange(world.progress.events, {})) {
      if (std::get_if<StartedEvent>(&event)) seen += "started ";
      if (std::get_if<FinishedEvent>(&event)) seen += "finished";
      if (const auto* e = std::get_if<TransferEvent>(&event))
        seen += e->what + " " + std::to_string(e->done) + "/" +
                std::to_string(e->total) + " ";
    }
    return seen;
  };
  world.build(text);
  const std::string whole = "file.txt 5/5 finished";
  CHECK_THAT(told(), Catch::StartsWith("started ") && Catch::EndsWith(whole));
  world.build(text);  // only asked about
  CHECK(told() == "finished");
}

TEST_CASE("the time of an ADD has that of its download", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files[kUrl] = {"hello", "\"a\"", kDate, ""};
  world.web.pause = std::chrono::milliseconds(30);
  world.build("FROM scratch\nADD " + kUrl + " /\n");
  std::chrono::nanoseconds wall{};
  for (const Event& event : world.progress.events)
    if (const auto* e = std::get_if<FinishedEvent>(&event)) wall = e->wall;
  CHECK(wall >= world.web.pause);
}

TEST_CASE("a cached ADD of a URL asks once, with what is known", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  const std::string text = "FROM scratch\nADD " + kUrl + " /\n";
  world.web.files[kUrl] = {"1", "\"a\"", kDate, ""};
  CHECK(world.build(text).executed == 1);
  CHECK(world.web.requests == Requests{"GET " + kUrl});
  CHECK(world.build(text).executed == 0);
  CHECK(world.web.requests == Requests{"HEAD " + kUrl});

  SECTION("no ETag: by Last-Modified") {
    world.web.files[kUrl].etag = "";
    world.build(text);  // fetched anew: the record had an ETag
    CHECK(world.build(text).executed == 0);
    CHECK(world.web.requests == Requests{"GET " + kUrl});
  }
  SECTION("changed") {
    world.web.files[kUrl] = {"2", "\"b\"", kDate, ""};
    CHECK(world.build(text).executed == 1);
    CHECK(world.web.requests == Requests{"HEAD " + kUrl, "GET " + kUrl});
  }
  SECTION("same content from elsewhere is a hit") {
    world.web.files["http://other/file.txt"] = {"1", "", kDate, ""};
    CHECK(world.build("FROM scratch\nADD http://other/file.txt /\n").executed ==
          0);
  }
  SECTION("another time is a miss: it lands") {
    world.web.files[kUrl].last_modified = "Tue, 14 Nov 2023 22:13:21 GMT";
    world.web.files[kUrl].etag = "\"c\"";
    CHECK(world.build(text).executed == 1);
  }
  SECTION("twice in one build is asked once") {
    world.build("FROM scratch\nADD " + kUrl + " /a\nADD " + kUrl + " /b\n");
    CHECK(world.web.requests == Requests{"HEAD " + kUrl});
  }
}

TEST_CASE("a URL with a checksum is not asked for once it is cached",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files[kUrl] = {"hello", "", "", ""};
  const auto text = [](const std::string& digest) {
    return "FROM scratch\nADD --checksum=" + digest + " " + kUrl + " /\n";
  };
  const std::string right = store::sha256("hello").text();
  CHECK(world.build(text(right)).executed == 1);
  world.web.files.clear();
  CHECK(world.build(text(right)).executed == 0);
  CHECK(world.web.requests.empty());
  SECTION("not even for another step") {
    CHECK(world
              .build("FROM scratch\nADD --checksum=" + right + " " + kUrl +
                     " /other\n")
              .executed == 1);
    CHECK(world.web.requests.empty());
  }
  SECTION("a wrong one says both") {
    world.web.files[kUrl] = {"hello", "", "", ""};
    const std::string wrong = store::sha256("x").text();
    CHECK_THROWS_WITH(world.build(text(wrong)),
                      Catch::Contains("digest mismatch for " + kUrl + ": " +
                                      right + " (expected: " + wrong + ")"));
  }
}

TEST_CASE("secrets for a host go to that host", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  const std::string text = "FROM scratch\nADD " + kUrl + " /\n";
  const auto secret = [&](const std::string& id, const std::string& value) {
    world.file("../" + id, value);
    world.request.secrets[id] = {SecretSource::Kind::file,
                                 world.context + "/../" + id};
  };
  world.web.files[kUrl] = {"1", "", "", "Bearer abc"};
  CHECK_THROWS_WITH(world.build(text), Catch::Contains("HTTP_AUTH_TOKEN_host"));
  secret("HTTP_AUTH_TOKEN_other", "abc");
  CHECK_THROWS_AS(world.build(text), registry::CredentialsError);
  secret("HTTP_AUTH_HEADER_host", "Basic xyz");
  CHECK_THROWS_WITH(world.build(text), Catch::Contains("was refused"));
  secret("HTTP_AUTH_TOKEN_host", "abc\n");
  CHECK(world.build(text).executed == 1);
  SECTION("of one line") {
    secret("HTTP_AUTH_TOKEN_host", "abc\nCookie: x");
    CHECK_THROWS_WITH(world.build(text), Catch::Contains("more than one line"));
  }
  SECTION("a user in the URL") {
    const std::string named = "http://ann:a%20b@host/x";
    world.web.files[named] = {"1", "", "", "Basic " + base64_encode("ann:a b")};
    world.request.secrets.clear();
    CHECK(world.build("FROM scratch\nADD " + named + " /\n").executed == 1);
  }
}

TEST_CASE("local files, URLs and heredocs of one ADD land in order",
          "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.file("a", "local");
  world.web.files["http://host/a"] = {"remote", "", "", ""};
  SECTION("the last one stays") {
    world.build("FROM scratch\nADD a http://host/a /d/\n");
    CHECK(entry(world, "d/a").size == 6);
  }
  SECTION("and the other way round") {
    world.build("FROM scratch\nADD http://host/a a /d/\n");
    CHECK(entry(world, "d/a").size == 5);
  }
  SECTION("the order is part of the key") {
    world.build("FROM scratch\nADD http://host/a a /d/\n");
    CHECK(world.build("FROM scratch\nADD a http://host/a /d/\n").executed == 1);
  }
}

TEST_CASE("names in URLs are no patterns", "[builder]") {
  if (!testing::have_root()) return;
  World world;
  world.web.files["http://host/a[b]*?v=1"] = {"x", "", "", ""};
  world.build("FROM scratch\nADD [\"http://host/a[b]*?v=1\", \"/\"]\n");
  CHECK(entry(world, "a[b]*").size == 1);
}

TEST_CASE("what ADD calls the file of a URL", "[builder]") {
  CHECK(web_file_name("http://h/a/b.txt?x=/y#z") == "b.txt");
  CHECK(web_file_name("http://h/a/") == "a");
  CHECK(web_file_name("http://h/") == "__unnamed__");
  CHECK(web_file_name("http://h") == "__unnamed__");
  CHECK(web_file_name("http://h/a%20b") == "a b");
  CHECK(web_file_name("http://h/a%2Fb") == "b");
  CHECK(web_file_name("http://h/..") == "__unnamed__");
  CHECK(web_file_name("http://h/a%0ab") == "download");
}

TEST_CASE("--checksum that fits nothing is a mistake", "[builder]") {
  World world;
  world.file("a", "1");
  const auto refuses = [&](const std::string& line, const char* words) {
    CHECK_THROWS_WITH(world.build("FROM scratch\n" + line + "\n"),
                      Catch::Contains(words));
  };
  const std::string digest = store::sha256("").text();
  refuses("ADD --checksum=" + digest + " a /",
          "checksum requires HTTP(S) or Git sources");
  refuses("ADD --checksum=" + digest + " http://h/a http://h/b /",
          "checksum can't be specified for multiple sources");
  refuses("ADD --checksum=md5:00 http://h/a /",
          "invalid checksum digest format");
  refuses("COPY http://h/a /", "source can't be a URL for COPY");
  CHECK(world.web.requests.empty());
}

}  // namespace
}  // namespace cbuild::builder
