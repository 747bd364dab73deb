#include "builder/file_listing.h"

#include <catch2/catch.hpp>

#include "builder/build_trace.h"
#include "builder/input_changes.h"
#include "fakes.h"

namespace cbuild::builder {
namespace {

using Clauses = std::vector<std::string>;

TEST_CASE("a listing tells what is different, kind by kind", "[listing]") {
  FileListing before, now;
  before.add("same", {"file", 0644, 0, 0, "aa"});
  now.add("same", {"file", 0644, 0, 0, "aa"});
  before.add("src/a.c", {"file", 0644, 0, 0, "aa"});
  now.add("src/a.c", {"file", 0644, 0, 0, "bb"});
  before.add("own", {"file", 0644, 0, 0, "aa"});
  now.add("own", {"file", 0644, 5, 6, "aa"});
  before.add("kind", {"file", 0644, 0, 0, "aa"});
  now.add("kind", {"link", 0644, 0, 0, "cc"});
  for (const char* name : {"m1", "m2", "m3"}) {
    before.add(name, {"file", 0664, 0, 0, "aa"});
    now.add(name, {"file", 0644, 0, 0, "aa"});
  }
  before.add("gone", {"directory", 0755, 0, 0, ""});
  for (const char* name : {"n1", "n2", "n3"})
    now.add(name, {"file", 0644, 0, 0, "aa"});
  CHECK(now.changes_since(before) ==
        Clauses{"src/a.c: content", "mode 0664 -> 0644 on 3 files",
                "own: owner 0:0 -> 5:6", "kind: type file -> link",
                "3 files added (n1, n2 and 1 more)", "1 file removed (gone)"});
  CHECK(now.changes_since(now).empty());
}

TEST_CASE("a listing comes back from its text, whatever names it holds",
          "[listing]") {
  FileListing listing;
  for (const char* name : {"a b", "line\nend", "back\\slash\\n", "\xff", ""})
    listing.add(name, {"file", 04755, 7, 8, "0123456789abcdef"});
  const FileListing read = FileListing::parse(listing.text());
  CHECK(read.text() == listing.text());
  CHECK(read.changes_since(listing).empty());
  CHECK(FileListing::parse("no listing\n\n").text().empty());
}

TEST_CASE("a listing of very many files stays small and still sees changes",
          "[listing]") {
  FileListing before, now;
  for (int i = 0; i < 30000; ++i) {
    const std::string name = "d/" + std::to_string(i);
    before.add(name, {"file", 0644, 0, 0, "aa"});
    now.add(name, {"file", 0644, 0, 0, i == 29999 ? "bb" : "aa"});
  }
  CHECK(now.changes_since(before) == Clauses{"d/...: content"});
  CHECK(now.text().size() < 500000);
}

TEST_CASE("a trace that does not verify is none", "[listing]") {
  const TempDir directory("/tmp", "cbuild-test-");
  const store::Store store(directory.path());
  Traces traces(directory.path());
  const TraceName name{"/context", "/context/Dockerfile", "", ""};
  CHECK_FALSE(traces.load(name));
  TracedStep step;
  step.report = {"[a 1/1] RUN \xff", 3, StepReport::Outcome::rebuilt, {"why"}};
  step.stage = "a";
  step.inputs = {{"command", "x\ny"}, {"command", ""}};
  traces.save(name, {step});
  const auto read = traces.load(name);
  REQUIRE(read);
  CHECK(read->front().report.name == step.report.name);
  CHECK(read->front().report.reasons == step.report.reasons);
  CHECK(read->front().inputs == step.inputs);
  for (const std::string& file : list_dir(
           open_path(directory.path() + "/contexts", O_RDONLY | O_DIRECTORY)
               .get()))
    std::ofstream(directory.path() + "/contexts/" + file, std::ios::app) << "x";
  CHECK_FALSE(traces.load(name));
}

TEST_CASE("long values are shown where they differ", "[listing]") {
  const std::string same(100, 'a');
  CHECK(change_text("command", {same + "b"}, {same + "c"}) ==
        "command \"..." + std::string(15, 'a') + "b\" -> \"..." +
            std::string(15, 'a') + "c\"");
  CHECK(change_text("link", {}, {"true"}) == "link is new: \"true\"");
  CHECK(change_text("ENV X", {"1"}, {}) == "ENV X is gone");
}

}  // namespace
}  // namespace cbuild::builder
