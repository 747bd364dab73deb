// The checks that are our own.
#include <catch2/catch.hpp>

#include "builder/shell_commands.h"
#include "check_fixture.h"

namespace cbuild::builder {
namespace {

using Lines = std::vector<std::string>;

Lines said_of(const std::string& dockerfile) {
  testing::Judged world;
  world.request.experimental_checks = {"FilesStoredTwice",
                                       "ArgInvalidatesOtherSteps"};
  return world.findings(dockerfile);
}

}  // namespace

TEST_CASE("our own checks speak only when called by name", "[builder]") {
  testing::Judged world;
  const std::string text = "FROM scratch\nCOPY . /a\nRUN chown -R 1 /a\n";
  CHECK(world.findings(text).empty());
  CHECK(world.findings("# check=experimental=all\n" + text).empty());
  CHECK(world.rules("# check=experimental=FilesStoredTwice\n" + text) ==
        Lines{"FilesStoredTwice"});
}

TEST_CASE("a chown that stores files again is told with what to write instead",
          "[builder]") {
  struct Case {
    const char* promise;
    const char* lines;  // below FROM; the last is the RUN
    const char* says;   // or "": nothing
  };
  const Case cases[] = {
      {"of a copied directory", "COPY . /app\nRUN chown -R app:app /app",
       "'chown -R app:app /app' stores the files of 'COPY . /app' a second "
       "time: use COPY --chown=app:app"},
      {"of a directory above", "ADD a /srv/a/\nRUN chmod -R 755 /srv",
       "'chmod -R 755 /srv' stores the files of 'ADD a /srv/a/' a second "
       "time: use ADD --chmod=755"},
      {"of one file", "COPY a.sh /a.sh\nRUN set -e; chmod +x /a.sh",
       "'chmod +x /a.sh' stores the files of 'COPY a.sh /a.sh' a second time: "
       "use COPY --chmod=+x"},
      {"of files that a pattern names", "COPY . /a\nRUN chmod +x /a/*.sh",
       "'chmod +x /a/*.sh' stores the files of 'COPY . /a' a second time: use "
       "COPY --chmod=+x"},
      {"relative to WORKDIR and cd",
       "WORKDIR /a\nCOPY . b\nRUN cd b && chgrp -R 0 .",
       "'chgrp -R 0 .' stores the files of 'COPY . b' a second time: use COPY "
       "--chown=:0"},
      {"of a path in a variable",
       "ENV HOME_DIR=/app\nCOPY . /app\nRUN chown -R 1 \"$HOME_DIR\"",
       "'chown -R 1 $HOME_DIR' stores the files of 'COPY . /app' a second "
       "time: use COPY --chown=1"},
      {"of what an earlier RUN wrote",
       "RUN tar -x -C /opt/x -f x.tar\nRUN chown -R 1 /opt",
       "'chown -R 1 /opt' stores the files of 'RUN tar -x -C /opt/x -f x.tar' "
       "a second time: do it in that RUN"},
      {"not of a directory alone", "COPY . /app\nRUN chown app /app", ""},
      {"not of other files", "COPY . /app\nRUN chown -R 1 /application", ""},
      {"not of what the same RUN wrote",
       "RUN tar -x -C /opt/x -f x.tar && chown -R 1 /opt", ""},
      {"not of a directory that was only made",
       "RUN mkdir /data\nRUN chown -R 1 /data", ""},
      {"not of a word in an echo", "COPY . /a\nRUN echo chown -R 1 /a", ""},
  };
  for (const Case& c : cases) DYNAMIC_SECTION(c.promise) {
      const Lines said = said_of(std::string("FROM scratch\n") + c.lines);
      if (*c.says == '\0') {
        CHECK(said.empty());
      } else {
        REQUIRE(said.size() == 1);
        CHECK_THAT(said[0], Catch::StartsWith("FilesStoredTwice:"));
        CHECK_THAT(said[0], Catch::EndsWith(std::string(": ") + c.says));
      }
    }
}

TEST_CASE("an ARG above steps that never name it is told", "[builder]") {
  const std::string between = "RUN one\nENV x=y\nRUN two\n";
  CHECK(said_of("FROM scratch\nARG SHA\n" + between + "RUN use $SHA\n") ==
        Lines{"ArgInvalidatesOtherSteps:2: ARG SHA makes 2 RUNs run again that "
              "never name it: move it down, above 'RUN use $SHA'"});
  CHECK(said_of("FROM scratch\nARG SHA\nRUN one\n") ==
        Lines{"ArgInvalidatesOtherSteps:2: ARG SHA makes 1 RUN run again that "
              "never names it: nothing below names it"});
  CHECK(said_of("FROM scratch\nARG SHA\nLABEL a=$SHA\n" + between).empty());
  CHECK(said_of("FROM scratch\n" + between + "ARG SHA\nRUN $SHA\n").empty());
  CHECK(said_of("FROM scratch\nARG TARGETARCH\n" + between).empty());
  CHECK(said_of("FROM scratch\nARG SHA\nRUN <<x\necho $SHA\nx\n").empty());
}

TEST_CASE("a script falls into commands", "[builder]") {
  using Commands = std::vector<ShellCommand>;
  CHECK(shell_commands("a 'b c' && d\\ e;\n\"f\\\"\"|g ${h} $(i)") ==
        Commands{{"a", "b c"}, {"d e"}, {"f\""}, {"g", "${h}", "$"}, {"i"}});
  CHECK(shell_commands(" ;; 'open").size() == 1);
}

}  // namespace cbuild::builder
