// Git repositories as ADD, contexts and --build-context name them; pure.
//
//   https://host/a/b.git#ref:subdir      git://host/b    ssh://git@host/b
//   https://host/b.git?branch=x&subdir=y                 git@host:a/b.git#ref
//
// Follows BuildKit's gitutil.ParseURL and dfgitutil.ParseGitRef: an http(s)
// URL is one only if its path ends in .git.
#pragma once

#include <optional>
#include <string>

namespace cbuild::builder {

struct GitReference {
  // As git(1) takes it: without fragment and query, and without the user of an
  // http(s) URL.
  std::string remote;
  std::string user_information;  // "user:password" of an http(s) URL
  std::string host;              // of a URL, with its port
  std::string ref;               // empty: the default branch
  std::string subdirectory;
  std::string checksum;  // what the commit's id starts with
  std::optional<bool> keep_git_dir;
  std::optional<bool> submodules;
  bool commit_times = false;     // mtime=commit
  bool fetch_by_commit = false;  // `checksum` is fetched, whatever `ref` is
  // github.com/owner/name may be a path as well: for contexts only.
  bool may_be_path = false;

  // nullopt for what is no git repository. Throws Error with BuildKit's words
  // for one that is written wrongly.
  static std::optional<GitReference> parse(const std::string& text);
};

// 40 or 64 hexadecimal digits.
bool is_commit_id(const std::string& text);

}  // namespace cbuild::builder
