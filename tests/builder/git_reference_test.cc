// How git repositories are written.
#include "builder/git_reference.h"

#include <catch2/catch.hpp>

#include "base/error.h"

namespace cbuild::builder {
namespace {

TEST_CASE("what is a git repository, and what is none", "[builder]") {
  for (const char* text :
       {"https://h/a.git", "http://h/a.git#x", "git://h/a", "ssh://git@h/a",
        "git@h:a/b", "ann@h.example:a", "HTTPS://h/a.git", "github.com/a/b"})
    CHECK(GitReference::parse(text));
  for (const char* text :
       {"https://h/a", "https://h.git", "http://h/a.gitx", "./git@h:a", "../x",
        "dir/a.git", "ftp://h/a.git", "file:///a.git", "a", "@h:a", "a@:b",
        "a b@h:c", "ext::sh -c x"})
    CHECK_FALSE(GitReference::parse(text));
  CHECK(GitReference::parse("github.com/a/b")->may_be_path);
  CHECK(GitReference::parse("github.com/a/b")->remote ==
        "https://github.com/a/b");
}

TEST_CASE("the fragment of a git repository", "[builder]") {
  const auto git = GitReference::parse("https://h:8/a/b.git#v1:x/../y/");
  CHECK(git->remote == "https://h:8/a/b.git");
  CHECK(git->host == "h:8");
  CHECK(git->ref == "v1");
  CHECK(git->subdirectory == "y");
  CHECK(GitReference::parse("git@h:a#:d")->subdirectory == "d");
  CHECK(GitReference::parse("git@h:a#:d")->ref == "");
  CHECK(GitReference::parse("git@h:a.git#b")->remote == "git@h:a.git");
}

TEST_CASE("the query of a git repository", "[builder]") {
  const auto git = GitReference::parse(
      "https://h/b.git?branch=x&subdir=a%2Fb&checksum=abc&keep-git-dir"
      "&submodules=false&mtime=commit");
  CHECK(git->remote == "https://h/b.git");
  CHECK(git->ref == "refs/heads/x");
  CHECK(git->subdirectory == "a/b");
  CHECK(git->checksum == "abc");
  CHECK(git->keep_git_dir == true);
  CHECK(git->submodules == false);
  CHECK(git->commit_times);
  CHECK(GitReference::parse("git@h:a?tag=v1")->ref == "refs/tags/v1");
  CHECK(GitReference::parse("git@h:a?ref=v1#v1")->ref == "v1");
}

TEST_CASE("a git repository that is written wrongly", "[builder]") {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& c : {
           Case{"https://h/b.git?reff=x", "unexpected query \"reff\""},
           Case{"https://h/b.git?ref=", "query \"ref\" has no value"},
           Case{"https://h/b.git?ref=a&ref=b",
                "query \"ref\" has multiple values"},
           Case{"https://h/b.git?ref=a#b", "ref conflicts: \"b\" vs \"a\""},
           Case{"https://h/b.git?branch=a&tag=b", "branch conflicts with tag"},
           Case{"https://h/b.git?subdir=a#b:c",
                "subdir conflicts: \"c\" vs \"a\""},
           Case{"https://h/b.git?keep-git-dir=yes",
                "invalid keep-git-dir value: \"yes\""},
           Case{"https://h/b.git?mtime=now", "invalid mtime value: \"now\""},
           // It would be read as an option.
           Case{"https://h/b.git#--upload-pack=x", "invalid git ref"},
       })
    CHECK_THROWS_WITH(GitReference::parse(c.text), Catch::StartsWith(c.words));
}

TEST_CASE("passwords are kept out of remotes", "[builder]") {
  const auto git = GitReference::parse("https://ann:p%40ss@h/a.git");
  CHECK(git->remote == "https://h/a.git");
  CHECK(git->user_information == "ann:p@ss");
  CHECK(GitReference::parse("ssh://ann:secret@h/a")->remote == "ssh://ann@h/a");
}

}  // namespace
}  // namespace cbuild::builder
