#include "builder/remote_sources.h"

#include <fcntl.h>

#include "builder/unpack_archive.h"

namespace cbuild::builder {

std::string RemoteSources::identity(const RemoteSource& source,
                                    const FetchProgress& tell) {
  const auto* file = std::get_if<WebFile>(&source);
  return file != nullptr ? web_.identity(*file, tell)
                         : git_.identity(std::get<GitReference>(source));
}

RemoteTree RemoteSources::fetch(const RemoteSource& source,
                                const FetchProgress& tell) {
  if (const auto* file = std::get_if<WebFile>(&source))
    return {web_.fetch(*file, tell).directory, file->name};
  return {git_.fetch(std::get<GitReference>(source)), ""};
}

std::optional<std::int64_t> RemoteSources::time(const RemoteSource& source) {
  if (const auto* git = std::get_if<GitReference>(&source))
    return git_.commit_time(*git);
  const WebFile& file = std::get<WebFile>(source);
  const WebFiles::Fetched fetched = web_.fetch(file);
  if (fetched.modified) return fetched.modified;
  const std::string path = fetched.directory + "/" + file.name;
  const Fd content = open_path(path, O_RDONLY);
  return newest_time(store::file_source(content.get(), path));
}

FetchProgress fetch_progress(Reporter& reporter, StepId id,
                             const RemoteSource& source) {
  const auto* file = std::get_if<WebFile>(&source);
  if (file == nullptr) return {};
  return [&reporter, id, name = file->name](std::uint64_t done,
                                            std::uint64_t total) {
    if (done == 0)
      reporter.started(id);
    else
      reporter.transfer(id, name, done, total);
  };
}

FileView view_of(const RemoteTree& tree) {
  // No table: what is fetched is read once, if ever.
  return FileView::of_directory(tree.directory, parser::IgnoreMatcher(), "");
}

}  // namespace cbuild::builder
