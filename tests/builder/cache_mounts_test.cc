#include "builder/cache_mounts.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <utility>

#include "base/dir.h"

namespace cbuild::builder {
namespace {

using Sharing = parser::RunMount::Sharing;

const auto kGoOn = [] { return false; };
const auto kUnseeded = [](const std::string&) {};

struct Place {
  TempDir dir{"/tmp", "cbuild-test-"};
  CacheMounts open(bool empty = false,
                   std::map<std::string, std::string> places = {}) {
    return CacheMounts(dir.path(), empty, std::move(places));
  }
  CacheMount take(Sharing sharing, const std::string& key = "id") {
    return open().acquire(key, sharing, kGoOn, kUnseeded);
  }
};

// What another process gets, as it would say; "waits" where it would.
std::string in_another_process(Place& place, Sharing sharing) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      bool asked = false;  // told to stop the second time it looks
      const auto second = [&] { return std::exchange(asked, true); };
      const CacheMount mount =
          place.open().acquire("id", sharing, second, kUnseeded);
      write_all(ends[1], mount.directory, "");
    } catch (const Interrupted&) {
      write_all(ends[1], "waits", "");
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  const Fd said(ends[0]);
  const std::string text = read_all(said.get(), "");
  ::waitpid(child, nullptr, 0);
  return text;
}

}  // namespace

TEST_CASE("caches: shared ones are one directory for all", "[builder]") {
  Place place;
  const CacheMount mine = place.take(Sharing::shared);
  CHECK(in_another_process(place, Sharing::shared) == mine.directory);
  CHECK(place.take(Sharing::shared, "other").directory != mine.directory);
}

TEST_CASE("caches: private ones are another directory while in use",
          "[builder]") {
  Place place;
  std::string first;
  {
    const CacheMount mine = place.take(Sharing::private_);
    first = mine.directory;
    const std::string other = in_another_process(place, Sharing::private_);
    CHECK(other != first);
    CHECK(other != "waits");
  }
  CHECK(in_another_process(place, Sharing::private_) == first);
}

TEST_CASE("caches: locked ones are waited for, also by another process",
          "[builder]") {
  Place place;
  std::string first;
  {
    const CacheMount mine = place.take(Sharing::locked);
    first = mine.directory;
    CHECK(in_another_process(place, Sharing::locked) == "waits");
  }
  CHECK(in_another_process(place, Sharing::locked) == first);
}

TEST_CASE("caches: --no-cache empties each once, but not the user's own",
          "[builder]") {
  Place place;
  const std::string data = place.take(Sharing::shared).directory;
  std::ofstream(data + "/old") << "x";
  CacheMounts fresh = place.open(true);
  fresh.acquire("id", Sharing::shared, kGoOn, kUnseeded);
  CHECK(!read_file(data + "/old"));
  std::ofstream(data + "/new") << "x";
  fresh.acquire("id", Sharing::shared, kGoOn, kUnseeded);
  CHECK(read_file(data + "/new"));

  const std::string own = place.dir.path() + "/own";
  make_dirs(own);
  std::ofstream(own + "/kept") << "x";
  CacheMounts mapped = place.open(true, {{"id", own}});
  CHECK(mapped.acquire("id\nowner 1:1", Sharing::locked, kGoOn, kUnseeded)
            .directory == own);
  CHECK(read_file(own + "/kept"));
}

TEST_CASE("caches: of several with one id export asks which", "[builder]") {
  Place place;
  place.take(Sharing::shared, "id");
  place.take(Sharing::shared, "id\nowner 1:1 mode 493");
  std::string bytes;
  const auto sink = [&](std::string_view data) { bytes += data; };
  CHECK_THROWS_WITH(export_cache(place.dir.path(), "id", sink),
                    Catch::Contains("say which"));
  const auto caches = list_caches(place.dir.path());
  REQUIRE(caches.size() == 2);
  export_cache(place.dir.path(), caches[0].name, sink);
  CHECK(!bytes.empty());
}

}  // namespace cbuild::builder
