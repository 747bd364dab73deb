#include "registry/url.h"

#include <catch2/catch.hpp>

using cbuild::registry::add_query;
using cbuild::registry::encode_query;
using cbuild::registry::is_loopback;
using cbuild::registry::resolve_url;
using cbuild::registry::Url;

TEST_CASE("URLs fall into their parts and lose passwords and fragments") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"https://reg.example", "https://reg.example/"},
      {"HTTPS://Reg.Example/A?b", "https://reg.example/A?b"},
      {"http://reg.example:80/x#y", "http://reg.example/x"},
      {"https://ann:secret@reg.example/x", "https://reg.example/x"},
      {"https://[::1]:5000/x", "https://[::1]:5000/x"},
      {"https://[::1]/x", "https://[::1]/x"},
      {"https://reg.example?q=1", "https://reg.example/?q=1"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE(Url::parse(c.text));
    CHECK(Url::parse(c.text)->text() == c.want);
    CHECK(Url::parse(c.want)->text() == c.want);
  }
}

TEST_CASE("what is no http URL is refused") {
  const char* cases[] = {
      "", "reg.example/x", "ftp://reg.example/", "https:///x",
      "https://reg.example:0/", "https://reg.example:65536/",
      "https://reg.example:5o/",
      // Would end the request line, or start a header.
      "https://reg.example/a b", "https://reg.example/a\r\nX: y"};
  for (const char* text : cases) {
    INFO(text);
    CHECK(!Url::parse(text));
  }
}

TEST_CASE("a Location leads on from where it was given") {
  const Url base = *Url::parse("https://reg.example:5000/v2/a/uploads/?x=1");
  struct Case {
    const char* location;
    const char* want;
  };
  const Case cases[] = {
      {"http://other/x", "http://other/x"},
      {"/v2/b?s=1", "https://reg.example:5000/v2/b?s=1"},
      {"id?s=1", "https://reg.example:5000/v2/a/uploads/id?s=1"},
      {"?y=2", "https://reg.example:5000/v2/a/uploads/?y=2"},
      {"//other:1/x", "https://other:1/x"},
      // A URL in the query does not make it an absolute one.
      {"/go?to=http://x/", "https://reg.example:5000/go?to=http://x/"},
  };
  for (const Case& c : cases) {
    INFO(c.location);
    REQUIRE(resolve_url(base, c.location));
    CHECK(resolve_url(base, c.location)->text() == c.want);
  }
  CHECK(!resolve_url(base, "file:///etc/passwd"));
}

TEST_CASE("messages show a URL without its query") {
  const Url url = *Url::parse("https://s3.example/blob?Signature=secret");
  CHECK(url.redacted() == "https://s3.example/blob?...");
}

TEST_CASE("queries are encoded and keep what was there") {
  CHECK(encode_query({{"scope", "repository:a/b:pull,push"}, {"k", "a b"}}) ==
        "scope=repository%3Aa%2Fb%3Apull%2Cpush&k=a%20b");
  CHECK(add_query("/u", {{"d", "1"}}) == "/u?d=1");
  CHECK(add_query("/u?_state=x", {{"d", "1"}}) == "/u?_state=x&d=1");
  CHECK(add_query("/u?", {{"d", "1"}}) == "/u?d=1");
  CHECK(add_query("/u", {}) == "/u");
}

TEST_CASE("only this machine counts as loopback") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.8.7", "[::1]"})
    CHECK(is_loopback(host));
  for (const char* host : {"localhost.example", "127.0.0.1.example", "10.0.0.1",
                           "127.0.0", "127.0.0.256", "128.0.0.1", ""})
    CHECK(!is_loopback(host));
}
