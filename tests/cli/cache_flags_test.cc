// What --cache-from and --cache-to take, and what they say to the rest.
#include "cli/cache_flags.h"

#include <catch2/catch.hpp>

#include "cli/build_flags.h"
#include "registry/cache_storage.h"

namespace cbuild::cli {
namespace {

struct Read {
  builder::BuildRequest request;
  std::vector<builder::CachePlace> from, to;
};

Read read(const std::vector<std::string>& words) {
  const Session session(parse(kBuildFlags, words), nullptr);
  Read result;
  read_cache_flags(session, result.request, result.from, result.to);
  return result;
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    read(words);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

TEST_CASE("places where steps are shared", "[cli][cache]") {
  const Read read_all =
      read({"--cache-from", "user/app:tag,other", "--cache-from",
            "type=local,src=/c,tag=x", "--cache-to",
            "type=registry,ref=r.example/a:c,mode=max,ignore-error=true,"
            "image-manifest=true,registry.insecure=true",
            "--cache-to",
            "type=s3,bucket=b,region=r,access_key_id=k,secret_access_key=s",
            "--cache-to", "type=inline", "--cache-timeout", "2m"});
  REQUIRE(read_all.from.size() == 3);
  CHECK(read_all.from[0].storage->name() == "registry user/app:tag");
  CHECK(read_all.from[1].storage->name() == "registry other:latest");
  CHECK(read_all.from[2].storage->name() == "directory /c");
  REQUIRE(read_all.to.size() == 2);
  CHECK(read_all.to[0].max);
  CHECK(read_all.to[0].storage->name() == "registry r.example/a:c");
  CHECK_FALSE(read_all.to[1].max);
  CHECK(read_all.to[1].storage->name() == "bucket b at b.s3.r.amazonaws.com");
  CHECK(read_all.request.inline_cache);
  CHECK(read_all.request.cache_timeout == std::chrono::seconds(120));
}

TEST_CASE("what a cache cannot be is refused by name", "[cli][cache]") {
  struct Row {
    const char* flag;
    const char* value;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"--cache-to", "type=gha", "type=gha is not supported yet"},
      {"--cache-to", "type=azblob,name=x", "type=azblob is not supported yet"},
      {"--cache-to", "type=registy,ref=a", "did you mean registry?"},
      {"--cache-to", "ref=a", "it has no type"},
      {"--cache-to", "type=registry", "it has no ref"},
      {"--cache-to", "type=registry,ref=A:b", "invalid reference"},
      {"--cache-to", "type=registry,ref=a,mod=max", "did you mean mode?"},
      {"--cache-to", "type=registry,ref=a,mode=all", "want min or max"},
      {"--cache-to", "type=registry,ref=a,ignore-error=false",
       "never fails a build"},
      {"--cache-to", "type=registry,ref=a,compression=zstd",
       "use --compression"},
      {"--cache-to", "type=registry,max", "must be a key=value pair"},
      {"--cache-to", "type=inline,mode=max", "mode=min"},
      {"--cache-from", "type=inline", "type=registry,ref=IMAGE"},
      {"--cache-from", "type=local,dest=/c", "it has no src"},
      {"--cache-to", "type=local,dest=/c,reset=true", "never removed"},
      {"--cache-to", "type=local,dest=/c,tag=../x", "without a slash"},
      {"--cache-to", "type=s3,region=r", "it has no bucket"},
      {"--cache-to", "type=s3,bucket=b,region=r,touch_refresh=1h",
       "keep the time"},
      {"--cache-timeout", "soon", "such as 30s"},
  }));
  CAPTURE(row.value);
  CHECK_THAT(refusal({row.flag, row.value}), Catch::Contains(row.says));
}

}  // namespace
}  // namespace cbuild::cli
