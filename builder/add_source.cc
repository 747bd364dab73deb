#include "builder/add_source.h"

#include "base/text.h"
#include "builder/git_reference.h"
#include "builder/variables.h"
#include "builder/web_files.h"

namespace cbuild::builder {
namespace {

bool is_url(const std::string& source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

// A repository, but not the github.com/... form, which is a path here.
std::optional<GitReference> git_source(const std::string& source,
                                       parser::Span span) {
  try {
    auto git = GitReference::parse(source);
    if (git && git->may_be_path) git.reset();
    return git;
  } catch (const Error& e) {
    throw mistake(span, e.what());
  }
}

// What the flags add to what the reference says itself.
GitReference with_flags(GitReference git, const parser::Copy& copy,
                        const std::string& checksum, parser::Span span) {
  if (copy.keep_git_dir && git.keep_git_dir &&
      *copy.keep_git_dir != *git.keep_git_dir)
    throw mistake(span, "inconsistent keep-git-dir configuration");
  if (!git.keep_git_dir) git.keep_git_dir = copy.keep_git_dir;
  if (!checksum.empty() && !git.checksum.empty() && checksum != git.checksum)
    throw mistake(span, "checksum mismatch " + go_quote(checksum) +
                            " != " + go_quote(git.checksum));
  if (git.checksum.empty()) git.checksum = checksum;
  git.commit_times = false;  // for contexts only
  return git;
}

WebFile web_file(const std::string& url, const std::string& checksum,
                 parser::Span span) {
  WebFile file{url, web_file_name(url), std::nullopt};
  if (checksum.empty()) return file;
  file.checksum = store::Digest::try_parse(checksum);
  if (!file.checksum)
    throw mistake(span, "invalid checksum digest format: " +
                            go_quote(checksum) + " (want sha256:...)");
  return file;
}

}  // namespace

std::map<std::size_t, RemoteSource> remote_sources(const parser::Copy& copy,
                                                   const CopySpec& spec,
                                                   const std::string& checksum,
                                                   parser::Span span) {
  if (!checksum.empty() && spec.sources.size() != 1)
    throw mistake(span, "checksum can't be specified for multiple sources");
  std::map<std::size_t, RemoteSource> remotes;
  for (std::size_t i = 0; i < spec.sources.size(); ++i) {
    const std::string& source = spec.sources[i];
    const auto git = git_source(source, span);
    const bool url = !git && is_url(source);
    if (!copy.add && git)
      throw mistake(span, "source can't be a git ref for COPY");
    if (!copy.add && url) throw mistake(span, "source can't be a URL for COPY");
    if (git) {
      remotes.emplace(i, with_flags(*git, copy, checksum, span));
    } else if (url) {
      remotes.emplace(i, web_file(source, checksum, span));
    } else if (!checksum.empty()) {
      throw mistake(span, "checksum requires HTTP(S) or Git sources");
    }
  }
  return remotes;
}

}  // namespace cbuild::builder
