#include "builder/file_view.h"

#include <variant>

#include "base/error.h"
#include "builder/file_view_context.h"
#include "builder/file_view_layers.h"

namespace cbuild::builder {

struct FileView::State {
  std::variant<ContextTree, LayerTree> tree;

  template <typename Tree, typename... Arguments>
  explicit State(std::in_place_type_t<Tree> kind, Arguments&&... arguments)
      : tree(kind, std::forward<Arguments>(arguments)...) {}

  const ContextTree* context() const { return std::get_if<ContextTree>(&tree); }

  template <typename Call>
  auto with_tree(Call&& call) const {
    return std::visit(std::forward<Call>(call), tree);
  }
};

FileView FileView::of_directory(const std::string& directory,
                                parser::IgnoreMatcher ignore,
                                const std::string& stat_table_dir,
                                std::vector<std::string> places,
                                ContextMode mode) {
  return FileView(std::make_shared<State>(
      std::in_place_type<ContextTree>, directory, std::move(ignore),
      stat_table_dir, std::move(places), mode));
}

FileView FileView::of_layers(std::shared_ptr<const store::MergedIndex> index) {
  return FileView(
      std::make_shared<State>(std::in_place_type<LayerTree>, std::move(index)));
}

std::optional<ViewEntry> FileView::find(const std::string& path) const {
  return state_->with_tree([&](const auto& tree) { return tree.find(path); });
}

std::vector<ViewEntry> FileView::list(const std::string& path) const {
  return state_->with_tree([&](const auto& tree) { return tree.list(path); });
}

store::Digest FileView::content(const std::string& path,
                                const ViewEntry& entry) const {
  return state_->with_tree(
      [&](const auto& tree) { return tree.content(path, entry); });
}

std::map<std::string, std::string> FileView::xattrs(
    const std::string& path, const ViewEntry& entry) const {
  return state_->with_tree(
      [&](const auto& tree) { return tree.xattrs(path, entry); });
}

std::string FileView::link_target(const std::string& path,
                                  const ViewEntry& entry) const {
  return state_->with_tree(
      [&](const auto& tree) { return tree.link_target(path, entry); });
}

std::string FileView::link_id(const std::string& path,
                              const ViewEntry& entry) const {
  return state_->with_tree(
      [&](const auto& tree) { return tree.link_id(path, entry); });
}

std::optional<store::Digest> FileView::known_content(
    const ViewEntry& entry) const {
  if (const ContextTree* context = state_->context())
    return context->known_content(entry);
  return entry.indexed ? entry.indexed->content : std::nullopt;
}

bool FileView::settled(const ViewEntry& entry) const {
  const ContextTree* context = state_->context();
  return context && context->settled(entry);
}

bool FileView::was_read() const {
  const ContextTree* context = state_->context();
  return context && context->was_read();
}

std::optional<std::string> FileView::resolve(const std::string& path) const {
  return state_->with_tree(
      [&](const auto& tree) { return tree.resolve(path); });
}

std::optional<store::IndexEntry> FileView::lookup(
    const std::string& path) const {
  const std::optional<ViewEntry> found = find(path);
  if (!found) return std::nullopt;
  store::IndexEntry entry;
  if (found->indexed) {
    entry = *found->indexed;
    entry.path = path;
    return entry;
  }
  entry.path = path;
  entry.type = found->type;
  entry.mode = found->mode;
  entry.uid = found->uid;
  entry.gid = found->gid;
  entry.dev_major = found->dev_major;
  entry.dev_minor = found->dev_minor;
  entry.size = found->size;
  entry.mtime_seconds = found->mtime_seconds;
  entry.mtime_nanoseconds = found->mtime_nanoseconds;
  if (found->type == store::EntryType::symlink)
    entry.target = link_target(path, *found);
  return entry;
}

std::vector<std::string> FileView::children(const std::string& path) const {
  std::vector<std::string> names;
  for (ViewEntry& entry : list(path)) names.push_back(std::move(entry.name));
  return names;
}

store::Digest FileView::content(const std::string& path) const {
  const std::optional<ViewEntry> entry = find(path);
  if (!entry || entry->type != store::EntryType::file)
    throw Error("/" + path + ": not a file");
  return content(path, *entry);
}

bool FileView::is_context() const { return state_->context() != nullptr; }

ContextMode FileView::mode() const {
  const ContextTree* context = state_->context();
  return context ? context->mode() : ContextMode::as_they_are;
}

std::vector<ViewEntry> FileView::list_all(const std::string& path) const {
  const ContextTree* context = state_->context();
  return context ? context->list_any(path) : list(path);
}

std::string FileView::reason_absent(const std::string& path) const {
  const ContextTree* context = state_->context();
  return context ? context->reason_absent(path) : std::string();
}

const parser::IgnoreMatcher& FileView::ignore() const {
  static const parser::IgnoreMatcher none;
  const ContextTree* context = state_->context();
  return context ? context->ignore() : none;
}

void FileView::save_stat_table() const {
  if (const ContextTree* context = state_->context())
    context->save_stat_table();
}

}  // namespace cbuild::builder
