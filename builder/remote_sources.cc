#include "builder/remote_sources.h"

namespace cbuild::builder {

std::string RemoteSources::identity(const RemoteSource& source) {
  const auto* file = std::get_if<WebFile>(&source);
  return file != nullptr ? web_.identity(*file)
                         : git_.identity(std::get<GitReference>(source));
}

RemoteTree RemoteSources::fetch(const RemoteSource& source) {
  if (const auto* file = std::get_if<WebFile>(&source))
    return {web_.fetch(*file).directory, file->name};
  return {git_.fetch(std::get<GitReference>(source)), ""};
}

FileView view_of(const RemoteTree& tree) {
  // No table: what is fetched is read once, if ever.
  return FileView::of_directory(tree.directory, parser::IgnoreMatcher(), "");
}

}  // namespace cbuild::builder
