#include "builder/git_reference.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "registry/url.h"

namespace cbuild::builder {
namespace {

using registry::percent_decode;
using Query = std::map<std::string, std::vector<std::string>>;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// As Go's url.ParseQuery; what cannot be read is dropped.
Query parse_query(const std::string& text) {
  Query query;
  for (const std::string& field : split(text, '&')) {
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    std::string value = field.substr(std::min(equals + 1, field.size()));
    std::replace(value.begin(), value.end(), '+', ' ');
    query[percent_decode(field.substr(0, equals))].push_back(
        percent_decode(value));
  }
  return query;
}

// Go's strconv.ParseBool.
bool parse_flag(const std::string& key, const std::string& value) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"})
    if (value == yes) return true;
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"})
    if (value == no) return false;
  throw Error("invalid " + key + " value: " + go_quote(value));
}

void set_once(std::string& field, const std::string& value, const char* name) {
  if (!field.empty() && field != value)
    throw Error(std::string(name) + " conflicts: " + go_quote(field) + " vs " +
                go_quote(value));
  field = value;
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

void check_value(const std::string& key, const std::vector<std::string>& list) {
  if (list.size() > 1)
    throw Error("query " + go_quote(key) + " has multiple values");
  const bool flag =
      key == "submodules" || key == "keep-git-dir" || key == "fetch-by-commit";
  if (list.front().empty() && !flag)
    throw Error("query " + go_quote(key) + " has no value");
}

void load_query(GitReference& git, const Query& query) {
  std::string tag;
  std::string branch;
  for (const auto& [key, list] : query) {
    check_value(key, list);
    const std::string& value = list.front();
    const auto flag = [&] { return value.empty() || parse_flag(key, value); };
    if (key == "ref") {
      set_once(git.ref, value, "ref");
    } else if (key == "tag") {
      tag = with_prefix("refs/tags/", value);
    } else if (key == "branch") {
      branch = with_prefix("refs/heads/", value);
    } else if (key == "subdir") {
      set_once(git.subdirectory, value, "subdir");
    } else if (key == "checksum" || key == "commit") {
      git.checksum = value;
    } else if (key == "keep-git-dir") {
      git.keep_git_dir = flag();
    } else if (key == "submodules") {
      git.submodules = flag();
    } else if (key == "fetch-by-commit") {
      git.fetch_by_commit = flag();
    } else if (key == "mtime") {
      if (value != "checkout" && value != "commit")
        throw Error("invalid mtime value: " + go_quote(value) +
                    " (must be \"checkout\" or \"commit\")");
      git.commit_times = value == "commit";
    } else {
      throw Error("unexpected query " + go_quote(key));
    }
  }
  if (!tag.empty()) set_once(git.ref, tag, "ref");
  if (!branch.empty() && !tag.empty()) throw Error("branch conflicts with tag");
  if (!branch.empty()) set_once(git.ref, branch, "ref");
}

void load_fragment(GitReference& git, const std::string& fragment) {
  if (fragment.empty()) return;
  const std::size_t colon = std::min(fragment.find(':'), fragment.size());
  git.ref = fragment.substr(0, colon);
  const std::string path =
      fragment.substr(std::min(colon + 1, fragment.size()));
  git.subdirectory = clean_path("/" + path).substr(1);
}

// "user@host:path", as ssh(1) and scp(1) have it.
std::optional<GitReference> parse_scp(std::string text) {
  const std::size_t at = text.find('@');
  const std::size_t colon = text.find(':');
  if (at == std::string::npos || colon == std::string::npos || colon < at)
    return std::nullopt;
  const auto is_name = [](char c) {
    return is_word(c) || c == '-' || c == '_';
  };
  const auto is_host = [](char c) {
    return is_word(c) || c == '-' || c == '.';
  };
  const auto middle = text.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(colon);
  if (at == 0 || colon == at + 1 ||
      !std::all_of(text.begin(), middle, is_name) ||
      !std::all_of(middle + 1, end, is_host))
    return std::nullopt;
  GitReference git;
  const std::size_t mark = text.find_first_of("?#", colon);
  git.remote = text.substr(0, mark);
  if (mark == std::string::npos) return git;
  const std::size_t hash = std::min(text.find('#', mark), text.size());
  load_fragment(git, text.substr(std::min(hash + 1, text.size())));
  if (text[mark] == '?')
    load_query(git, parse_query(text.substr(mark + 1, hash - mark - 1)));
  return git;
}

// `rest`: what follows "scheme://".
std::optional<GitReference> parse_url(const std::string& scheme,
                                      std::string rest, bool needs_suffix) {
  const bool web = scheme == "http" || scheme == "https";
  std::string fragment;
  if (const std::size_t hash = rest.find('#'); hash != std::string::npos) {
    fragment = percent_decode(rest.substr(hash + 1));
    rest.resize(hash);
  }
  std::string query;
  if (const std::size_t mark = rest.find('?'); mark != std::string::npos) {
    query = rest.substr(mark + 1);
    rest.resize(mark);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  if (needs_suffix && !rest.substr(slash).ends_with(".git"))
    return std::nullopt;
  GitReference git;
  const std::size_t at = rest.rfind('@', slash);
  git.host = rest.substr(at == std::string::npos ? 0 : at + 1);
  git.host.resize(std::min(git.host.find('/'), git.host.size()));
  if (!web && at != std::string::npos) {
    // ssh takes no password here, and messages show the remote.
    const std::size_t password = rest.find(':');
    if (password < at) rest.erase(password, at - password);
  }
  if (web && at != std::string::npos) {
    git.user_information = percent_decode(rest.substr(0, at));
    rest.erase(0, at + 1);
  }
  git.remote = scheme + "://" + rest;
  load_fragment(git, fragment);
  load_query(git, parse_query(query));
  return git;
}

}  // namespace

bool is_commit_id(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::optional<GitReference> GitReference::parse(const std::string& text) {
  if (text.starts_with("./") || text.starts_with("../")) return std::nullopt;
  std::optional<GitReference> git;
  const std::size_t colon = text.find("://");
  if (text.starts_with("github.com/")) {
    git = parse_url("https", text, false);
    git->may_be_path = true;
  } else if (colon != std::string::npos &&
             std::all_of(text.begin(),
                         text.begin() + static_cast<std::ptrdiff_t>(colon),
                         is_word)) {
    const std::string scheme = to_lower(text.substr(0, colon));
    for (const char* known : {"http", "https", "ssh", "git"})
      if (scheme == known)
        git = parse_url(scheme, text.substr(colon + 3),
                        scheme.starts_with("http"));
  } else {
    git = parse_scp(text);
  }
  if (git && git->ref.starts_with('-'))
    throw Error("invalid git ref " + go_quote(git->ref));
  return git;
}

}  // namespace cbuild::builder
