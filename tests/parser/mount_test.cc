#include "parser/mount.h"

#include <catch2/catch.hpp>

#include "parser/grammar.h"

namespace cbuild::parser {
namespace {

const Lookup kLookup = [](std::string_view name) -> std::optional<std::string> {
  if (name == "ID") return "npm";
  return std::nullopt;
};

RunMount read(const char* text) { return parse_run_mount(text, &kLookup); }

}  // namespace

TEST_CASE("a mount's options are read", "[mount]") {
  const RunMount cache = read(
      "TYPE=Cache,Target=/c,id=$ID,sharing=LOCKED,mode=0755,uid=1,gid=2,ro");
  CHECK(cache.type == RunMount::Type::cache);
  CHECK(cache.target == "/c");
  CHECK(cache.id == "npm");
  CHECK(cache.sharing == RunMount::Sharing::locked);
  CHECK(cache.mode == 0755u);
  CHECK(cache.uid == 1u);
  CHECK(cache.gid == 2u);
  CHECK(cache.read_only == true);

  const RunMount bind = read("dst=/x,src=a,from=b,rw=true");
  CHECK(bind.type == RunMount::Type::bind);
  CHECK(bind.from == "b");
  CHECK(bind.source == "a");
  CHECK(bind.read_only == false);

  CHECK(read("type=tmpfs,target=/t,size=64m").size == 64u << 20);
  CHECK_FALSE(read("type=tmpfs,target=/t").read_only.has_value());
  const RunMount secret = read("type=secret,id=k,env=TOKEN,required");
  CHECK(secret.env == "TOKEN");
  CHECK(secret.required);
  // The quotes of CSV go first, those of expansion after them.
  CHECK(read("type=bind,\"source=a,\"\"b\"\"\",target=/t").source == "a,b");
}

TEST_CASE("a mount that is wrong is told in BuildKit's words", "[mount]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", "failed to parse csv mounts: EOF"},
      {"a\"b",
       "failed to parse csv mounts: parse error on line 1, column 2: bare \" "
       "in non-quoted field"},
      {"\"a\"b",
       "failed to parse csv mounts: parse error on line 1, column 3: "
       "extraneous or missing \" in quoted-field"},
      {"\"a",
       "failed to parse csv mounts: parse error on line 1, column 3: "
       "extraneous or missing \" in quoted-field"},
      {"type=bnd", "unsupported mount type \"bnd\" (did you mean bind?)"},
      {"type=volume", "unsupported mount type \"volume\""},
      {"sorce=f", "unexpected key 'sorce' in 'sorce=f' (did you mean source?)"},
      {"target", "invalid field 'target' must be a key=value pair"},
      {"ro=maybe", "invalid value for ro: maybe"},
      {"type=cache,mode=999", "invalid value 999 for mode"},
      {"type=cache,uid=-1", "invalid value -1 for uid"},
      {"type=cache,gid=99999999999", "invalid value 99999999999 for gid"},
      // The order counts.
      {"required,type=secret",
       "unexpected key 'required' for mount type "
       "'bind'"},
      {"size=1m,type=tmpfs", "unexpected key 'size' for mount type 'bind'"},
      {"type=tmpfs,size=x", "invalid value for size: x"},
      {"uid=1", "uid not allowed for \"bind\" type mounts"},
      {"type=tmpfs,mode=700", "mode not allowed for \"tmpfs\" type mounts"},
      {"type=cache,sharing=exclusive",
       "unsupported sharing value \"exclusive\""},
      {"sharing=shared", "invalid cache sharing set for bind mount"},
      {"type=secret", "invalid secret mount. one of source, target required"},
      {"type=secret,id=a,source=b", "both source and id can't be set"},
      {"type=secret,id=a,from=b", "secret mount should not have a from"},
      {"target=${X", "syntax error: missing '}'"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK_THROWS_WITH(read(c.text), c.want); }
  }
}

TEST_CASE("before variables are known only `from` is looked at", "[mount]") {
  const RunMount mount =
      parse_run_mount("type=$T,from=base,bogus=1,target=$X", nullptr);
  CHECK(mount.from == "base");
  CHECK(mount.target.empty());
  CHECK(parse_run_mount("from=x$", nullptr).from == "x$");
  CHECK_THROWS_WITH(parse_run_mount("from=$X", nullptr),
                    "'from' doesn't support variable expansion, define alias "
                    "stage instead");
}

TEST_CASE("a device has a name and may be required", "[mount]") {
  CHECK(parse_run_device("vendor/gpu=all").name == "vendor/gpu=all");
  CHECK(parse_run_device("name=x,required").required);
  CHECK_FALSE(parse_run_device("x,required=false").required);
  CHECK_THROWS_WITH(parse_run_device("a,b"),
                    "invalid field 'b' must be a key=value pair");
  CHECK_THROWS_WITH(
      parse_run_device("a,requird=1"),
      "unexpected key 'requird' in 'requird=1' (did you mean required?)");
  CHECK_THROWS_WITH(parse_run_device("a,name=b"),
                    "device name already set to a");
}

TEST_CASE("fields are separated by commas outside quotes", "[mount]") {
  using Fields = std::vector<std::string>;
  CHECK(csv_fields("a,b") == Fields{"a", "b"});
  CHECK(csv_fields(",a,") == Fields{"", "a", ""});
  CHECK(csv_fields("\"a,\"\"b\"\"\",\"\",c d") == Fields{"a,\"b\"", "", "c d"});
}

TEST_CASE("durations are Go's", "[mount]") {
  struct Case {
    const char* text;
    std::int64_t want;
  };
  const Case good[] = {
      {"0", 0},
      {"1ns", 1},
      {"1.5s", 1'500'000'000},
      {"-1m", -60'000'000'000},
      {"+2h3m4s5ms6us7ns", 7'384'005'006'007},
      {"1\u00b5s", 1'000},
      {".5s", 500'000'000},
      {"1.s", 1'000'000'000},
      {"2562047h47m16.854775807s", INT64_MAX},
      {"-9223372036854775808ns", INT64_MIN},
  };
  for (const Case& c : good) {
    DYNAMIC_SECTION(c.text) { CHECK(duration(c.text) == c.want); }
  }
  CHECK_THROWS_WITH(duration("5"), "time: missing unit in duration \"5\"");
  CHECK_THROWS_WITH(duration("1d"),
                    "time: unknown unit \"d\" in duration \"1d\"");
  for (const char* bad :
       {"", "-", "x", ".s", " 1s", "1 s", "9999999h", "9223372036854775808ns"})
    CHECK_THROWS_AS(duration(bad), Error);
}

}  // namespace cbuild::parser
