#include "store/step_cache.h"

#include <catch2/catch.hpp>

#include "scratch.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

StepRecord sample() {
  const KeyInputs inputs = {{"command", "make \"all\""},
                            {"env PATH", "/bin"},
                            {"bytes", std::string("\xff\x00\xc3\xa9", 4)}};
  return {.key = key_of(inputs),
          .inputs = inputs,
          .title = "RUN make",
          .layers = {"a", "b"},
          .created = 1700000000,
          .created_nanoseconds = 5,
          .milliseconds = 42};
}

}  // namespace

TEST_CASE("a step record comes back whole, whatever bytes its inputs have",
          "[steps]") {
  Scratch scratch;
  StepCache steps(scratch.root, std::make_shared<Durability>(scratch.root));
  const StepRecord want = sample();
  CHECK_FALSE(steps.find(want.key));
  steps.put(want);
  const auto got = steps.find(want.key);
  REQUIRE(got);
  CHECK(got->inputs == want.inputs);
  CHECK(got->title == want.title);
  CHECK(got->layers == want.layers);
  CHECK(got->created == want.created);
  CHECK(got->created_nanoseconds == 5);
  CHECK(got->milliseconds == 42);
  CHECK(steps.list().size() == 1);
  CHECK(steps.last_used(want.key) > 0);
  steps.remove(want.key);
  CHECK_FALSE(steps.find(want.key));
}

TEST_CASE("a record put again replaces the old one, which goes too",
          "[steps]") {
  Scratch scratch;
  StepRecord record = sample();
  {
    StepCache steps(scratch.root, std::make_shared<Durability>(scratch.root));
    steps.put(record);
    record.title = "RUN make again";
    steps.put(record);
    CHECK(steps.list().size() == 1);
    CHECK(steps.find(record.key)->title == record.title);
  }
  // The session ends with the last object of the store.
  const Fd tmp = open_path(scratch.root + "/tmp", O_RDONLY | O_DIRECTORY);
  CHECK(list_dir(tmp.get()).empty());
}

TEST_CASE("a damaged record is dropped", "[steps]") {
  Scratch scratch;
  StepCache steps(scratch.root, std::make_shared<Durability>(scratch.root));
  const StepRecord record = sample();
  const std::string path = scratch.root + "/steps/" + record.key.hex();
  steps.put(record);
  const std::string whole = *read_file(path);
  // Cut short anywhere, or with any one byte changed, it does not count.
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    write_file(path, whole.substr(0, i));
    CHECK_FALSE(steps.find(record.key));
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write_file(path, changed);
    CHECK_FALSE(steps.find(record.key));
    CHECK_FALSE(lstat_at(AT_FDCWD, path));
  }
}

TEST_CASE("a record counts after a power cut only if a sync came after it",
          "[steps]") {
  Scratch scratch;
  const StepRecord record = sample();
  // What this machine wrote before it stopped: only the boot id differs.
  const auto age = [&](const std::string& boot) {
    StepCache(scratch.root, std::make_shared<Durability>(scratch.root))
        .put(record);
    const std::string path = scratch.root + "/steps/" + record.key.hex();
    std::string file = *read_file(path);
    const std::string now = Birth::now().boot;
    file.replace(file.find(now), now.size(), boot);
    const std::string body =
        file.substr(file.find("record") + 8,
                    file.size() - file.find("record") - 9);
    write_file(path, R"({"sha256":")" + sha256(body).hex() + R"(","record":)" +
                         body + "}");
  };
  const auto found = [&] {
    return StepCache(scratch.root, std::make_shared<Durability>(scratch.root))
        .find(record.key)
        .has_value();
  };
  age("before");
  CHECK_FALSE(found());
  Durability(scratch.root).synced({"before", Birth::now().nanoseconds});
  CHECK_FALSE(found());  // it was dropped
  age("before");         // later than the sync
  CHECK_FALSE(found());
  age("before");
  Durability(scratch.root).synced({"before", Birth::now().nanoseconds});
  CHECK(found());
  CHECK(lstat_at(AT_FDCWD, scratch.root + "/synced")->st_size < 200);
}

TEST_CASE("a record under another key's name does not count", "[steps]") {
  Scratch scratch;
  StepCache steps(scratch.root, std::make_shared<Durability>(scratch.root));
  steps.put(sample());
  const std::string from = scratch.root + "/steps/" + sample().key.hex();
  const Digest other = key_of({{"a", "b"}});
  const std::string to = scratch.root + "/steps/" + other.hex();
  REQUIRE(::rename(from.c_str(), to.c_str()) == 0);
  CHECK_FALSE(steps.find(other));
}

TEST_CASE("a key tells names, values and their boundaries apart", "[steps]") {
  const Digest keys[] = {
      key_of({}),
      key_of({{"a", "b"}}),
      key_of({{"b", "a"}}),
      key_of({{"ab", ""}}),
      key_of({{"", "ab"}}),
      key_of({{"a", "b"}, {"", ""}}),
      key_of({{"a", "1:b"}}),
      key_of({{"a", "b"}, {"c", "d"}}),
      key_of({{"c", "d"}, {"a", "b"}}),
  };
  for (std::size_t i = 0; i < std::size(keys); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(keys[i] == keys[j]);
}
