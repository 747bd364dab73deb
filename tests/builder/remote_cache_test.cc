// Two stores that share their steps through a third place.
#include <catch2/catch.hpp>
#include <thread>

#include "builder/shared_record.h"
#include "fakes.h"
#include "registry/cache_storage.h"

namespace cbuild::builder {
namespace {

using testing::World;
using Commands = std::vector<std::string>;

// A directory that counts what is asked of it, and can refuse, stall or lose.
class CountedCache final : public registry::CacheStorage {
 public:
  explicit CountedCache(const std::string& directory)
      : inner_(registry::directory_cache(directory, "latest")) {}

  std::string name() const override { return "test"; }
  std::optional<std::string> find(const store::Digest& key) override {
    ++finds;
    if (refuses) throw Error("refused");
    while (stalls) {
      if (given_up()) throw Interrupted();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return inner_->find(key);
  }
  bool has(const store::Digest& key) override { return inner_->has(key); }
  void put(const store::Digest& key, const std::string& record,
           const std::vector<store::Descriptor>& layers) override {
    if (refuses) throw Error("refused");
    ++puts;
    inner_->put(key, record, layers);
  }
  void fetch(store::Store& store, const store::Descriptor& layer) override {
    ++fetches;
    if (loses) throw Error("lost");
    inner_->fetch(store, layer);
  }
  void send(store::Store& store, const store::Descriptor& layer) override {
    inner_->send(store, layer);
  }

  std::atomic<int> finds = 0, puts = 0, fetches = 0;
  std::atomic<bool> refuses = false, stalls = false, loses = false;

 private:
  std::unique_ptr<registry::CacheStorage> inner_;
};

// Two runners and what they share.
struct Pair {
  TempDir shared{"/tmp", "cbuild-test-"};
  std::shared_ptr<CountedCache> cache =
      std::make_shared<CountedCache>(shared.path());
  World first, second;

  explicit Pair(bool max = true) {
    first.cache_to.push_back({cache, max});
    second.cache_from.push_back({cache});
  }
  std::string warnings() const {
    std::string text;
    for (const Event& event : second.progress.events)
      if (const auto* message = std::get_if<MessageEvent>(&event))
        if (message->warning) text += message->text + "\n";
    return text;
  }
};

const char* const kStages =
    "FROM scratch AS make\nCOPY a /a\nRUN write out 1\n"
    "FROM scratch\nCOPY --from=make /out /out\nRUN write end 1\n";

TEST_CASE("what one store made another need not make", "[remote]") {
  Pair pair;
  pair.first.file("a", "1");
  pair.second.file("a", "1");
  const BuildResult made = pair.first.build(kStages);
  const BuildResult taken = pair.second.build(kStages);
  CHECK(taken.executed == 0);
  CHECK(pair.second.runner.commands.empty());
  CHECK(pair.second.config(taken).diff_ids == pair.first.config(made).diff_ids);
  // The layers of the image are here now, those of the other stage are not.
  CHECK(pair.cache->fetches == 2);
}

TEST_CASE("a step that misses runs on the layers that were shared",
          "[remote]") {
  Pair pair;
  pair.first.file("a", "1");
  pair.second.file("a", "1");
  pair.first.build(kStages);
  pair.second.build(
      "FROM scratch AS make\nCOPY a /a\nRUN write out 2\n"
      "FROM scratch\nCOPY --from=make /out /out\nRUN write end 1\n");
  CHECK(pair.second.runner.commands == Commands{"write out 2", "write end 1"});
  CHECK(pair.cache->fetches == 1);  // of COPY a /a
}

TEST_CASE("mode=min shares the image's steps, mode=max all", "[remote]") {
  const bool max = GENERATE(false, true);
  Pair pair(max);
  pair.first.file("a", "1");
  pair.second.file("a", "1");
  pair.first.build(kStages);
  // Only the image's own steps are asked for, so far.
  CHECK(pair.second.build(kStages).executed == 0);
  pair.second.build(
      "FROM scratch AS make\nCOPY a /a\nRUN write out 1\n"
      "FROM scratch\nCOPY --from=make /out /other\n");
  const Commands want = max ? Commands{} : Commands{"write out 1"};
  CHECK(pair.second.runner.commands == want);
}

TEST_CASE("a second time nothing is sent", "[remote]") {
  Pair pair;
  pair.first.file("a", "1");
  pair.first.build(kStages);
  const int puts = pair.cache->puts;
  CHECK(puts > 0);
  pair.first.build(kStages);
  CHECK(pair.cache->puts == puts);
}

TEST_CASE("trouble with a cache is told once and fails nothing", "[remote]") {
  Pair pair;
  pair.cache->refuses = true;
  CHECK_NOTHROW(pair.first.build("FROM scratch\nRUN write a 1\n"));
  auto other = std::make_shared<CountedCache>(pair.shared.path());
  other->refuses = true;
  pair.second.cache_from.front().storage = other;
  pair.second.build("FROM scratch\nRUN write a 1\nRUN write b 1\n");
  CHECK(pair.second.runner.commands == Commands{"write a 1", "write b 1"});
  CHECK(pair.warnings() == "cache in test: refused; going on without it\n");
}

TEST_CASE("a cache that does not answer is left alone after the time-out",
          "[remote]") {
  Pair pair;
  pair.cache->stalls = true;
  pair.second.request.cache_timeout = std::chrono::seconds(1);
  pair.second.build("FROM scratch\nRUN write a 1\nRUN write b 1\n");
  CHECK(pair.second.runner.commands == Commands{"write a 1", "write b 1"});
  CHECK_THAT(pair.warnings(), Catch::Contains("nothing moved for 1 s"));
}

TEST_CASE("where a shared layer is lost its step runs here", "[remote]") {
  Pair pair;
  const std::string text = "FROM scratch\nRUN write a 1\nRUN write b ";
  pair.first.build(text + "1\n");
  pair.cache->loses = true;
  pair.second.build(text + "2\n");
  CHECK(pair.second.runner.commands == Commands{"write a 1", "write b 2"});
  CHECK_THAT(pair.warnings(), Catch::Contains("lost"));
}

TEST_CASE("a shared layer that was not fetched is no hit without the cache",
          "[remote]") {
  Pair pair;
  pair.first.file("a", "1");
  pair.second.file("a", "1");
  pair.first.build(kStages);
  pair.second.build(kStages);
  pair.second.cache_from.clear();
  pair.second.build(
      "FROM scratch AS make\nCOPY a /a\nRUN write out 2\n"
      "FROM scratch\nCOPY --from=make /out /out\n");
  CHECK(pair.second.runner.commands == Commands{"write out 2"});
}

TEST_CASE("a record that does not verify is none", "[remote]") {
  SharedRecord shared{
      .record = {.key = store::sha256("k"), .inputs = {{"a\xff", "b\n"}}},
      .layers = {{{store::sha256("d"), store::sha256("b"), 7,
                   store::Compression::zstd},
                  true}}};
  const std::string text = to_text(shared);
  const auto read = shared_record(text, shared.record.key);
  REQUIRE(read);
  CHECK(read->record.inputs == shared.record.inputs);
  CHECK(read->layers[0].blob.size == 7);
  CHECK(read->layers[0].of_base);
  CHECK_FALSE(shared_record(text, store::sha256("other")));
  CHECK_FALSE(
      shared_record(text.substr(0, text.size() - 1), shared.record.key));
  CHECK_FALSE(shared_record("", shared.record.key));
}

}  // namespace
}  // namespace cbuild::builder
