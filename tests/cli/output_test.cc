#include "cli/output.h"

#include <catch2/catch.hpp>

#include "cli/template.h"
#include "cli/terminal.h"

namespace cbuild::cli {
namespace {

TEST_CASE("tables have docker's columns", "[cli]") {
  CHECK(format_table(
            {"REPOSITORY", "TAG", "SIZE"},
            {{"app", "latest", "1.2MB"}, {"a-long-name-here", "1", "0B"}}) ==
        "REPOSITORY         TAG       SIZE\n"
        "app                latest    1.2MB\n"
        "a-long-name-here   1         0B\n");
}

TEST_CASE("sizes have three digits and decimal units", "[cli]") {
  struct Case {
    std::uint64_t bytes;
    const char* want;
  };
  for (const Case& c : {Case{0, "0B"}, Case{999, "999B"}, Case{1000, "1kB"},
                        Case{1234567, "1.23MB"}, Case{999900, "1MB"},
                        Case{117000000, "117MB"}, Case{1500000000, "1.5GB"}})
    CHECK(short_size(c.bytes) == c.want);
}

TEST_CASE("times are told as docker tells them", "[cli]") {
  struct Case {
    std::int64_t seconds;
    const char* want;
  };
  for (const Case& c : {Case{0, "Less than a second"}, Case{1, "1 second"},
                        Case{59, "59 seconds"}, Case{60, "About a minute"},
                        Case{3599, "59 minutes"}, Case{3600, "About an hour"},
                        Case{36000, "10 hours"}, Case{200000, "2 days"},
                        Case{1300000, "2 weeks"}, Case{6000000, "2 months"},
                        Case{70000000, "2 years"}})
    CHECK(human_duration(c.seconds) == c.want);
  CHECK(time_ago("") == "N/A");
}

TEST_CASE("cut texts end in an ellipsis and keep whole characters", "[cli]") {
  CHECK(ellipsis("abc", 3) == "abc");
  CHECK(ellipsis("abcd", 3) == "ab…");
  CHECK(ellipsis("äöüß", 3) == "äö…");
}

TEST_CASE("output lines cannot move the cursor", "[cli]") {
  struct Case {
    const char* line;
    const char* want;
  };
  for (const Case& c :
       {Case{"plain", "plain"}, Case{"\x1b[31mred\x1b[0m", "red"},
        Case{"10%\r20%\r", "20%"}, Case{"a\tb", "a       b"},
        Case{"bell\a", "bell"}, Case{"\x1b]0;title\atext", "text"},
        Case{"\x1b[2J\x1b[Hgone", "gone"}, Case{"cut\x1b[3", "cut"}})
    CHECK(clean_line(c.line) == c.want);
}

TEST_CASE("width counts columns, not bytes", "[cli]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("äöü") == 3);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\xcc\x81") == 1);
  CHECK(display_width("\xff\xfe") == 2);
  CHECK(clip("日本語", 5) == "日本");
  CHECK(clip("abc", 9) == "abc");
}

TEST_CASE("rows are printed as --format says", "[cli]") {
  const std::vector<Row> rows = {{{"ID", "1"}, {"Tag", "a\"b"}},
                                 {{"ID", "2"}, {"Tag", "c"}}};
  const auto print_as = [&](const std::string& format) {
    return format_rows(format, {"ID", "Tag"}, {"IMAGE ID", "TAG"}, rows);
  };
  CHECK(print_as("{{.ID}}:{{ .Tag }}") == "1:a\"b\n2:c\n");
  CHECK(print_as("json") ==
        "{\"ID\":\"1\",\"Tag\":\"a\\\"b\"}\n{\"ID\":\"2\",\"Tag\":\"c\"}\n");
  CHECK(print_as("") == print_as("table"));
  CHECK(print_as("table {{.Tag}}\\t{{.ID}}") ==
        "TAG       IMAGE ID\na\"b       1\nc         2\n");
  CHECK_THROWS_WITH(print_as("{{.Tog}}"),
                    "--format: no field {{.Tog}} (did you mean .Tag?); there "
                    "are .ID .Tag");
}

}  // namespace
}  // namespace cbuild::cli
