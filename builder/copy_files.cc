#include "builder/copy_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "builder/copy_select.h"
#include "builder/copy_tree.h"
#include "builder/unpack_archive.h"

namespace cbuild::builder {
namespace {

constexpr std::uint32_t kInlineMode = 0644;

// "/x/" and "/x/." name a directory, "/x" may name a file.
bool names_directory(const std::string& destination) {
  return destination.ends_with('/') || destination.ends_with("/.");
}

class Copying {
 public:
  Copying(const CopySpec& spec, int destination_root)
      : spec_(spec),
        root_(destination_root),
        path_(clean_path("/" + spec.destination).substr(1)) {
    if (!spec.chown.empty()) style_.owner = resolve_owner(root_, spec.chown);
    if (!spec.chmod.empty()) style_.mode = ModeChange::parse(spec.chmod);
    style_.latest = spec.source_date_epoch;
  }

  void copy_source(const std::string& argument, const CopyOrigin& origin) {
    const bool remote = origin.remote.has_value();
    const Source source = remote ? Source{} : parse_source(spec_, argument);
    const CopyFilter filter(spec_, source);
    const bool may_unpack = spec_.add && spec_.unpack.value_or(!remote);
    const std::vector<Match> matches =
        remote ? std::vector{match_of(*origin.view, *origin.remote)}
               : resolve_source(*origin.view, source);
    for (const Match& match : matches) {
      if (may_unpack && unpack(match, origin.root)) continue;
      const std::string destination = prepare_destination();
      note_made(TreeCopier(*origin.view, origin.root, root_, style_, result_)
                    .copy(match, filter, destination));
    }
  }

  void copy_inline(const InlineFile& file) {
    std::string place = prepare_destination();
    if (is_directory(place)) place += "/" + last_component(file.name);
    if (place.starts_with('/')) place.erase(0, 1);
    const std::string holder = parent_path(place);
    note_made(make_missing(root_, holder, style_.new_directory()));
    const Fd directory = open_directory(root_, holder);
    const std::string name = last_component(place);
    const int created = make_in_place(
        directory.get(), name, place, "create", result_.contents, [&] {
          return ::openat(directory.get(), name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        });
    Fd out(created);
    write_all(out.get(), file.content, "/" + place);
    const FileOwner owner = style_.owner.value_or(FileOwner{});
    if (!store::give(out.get(), owner.uid, owner.gid, "/" + place))
      result_.held[place].owner = {owner.uid, owner.gid};
    const std::uint32_t mode =
        style_.mode ? style_.mode->apply(kInlineMode, false) : kInlineMode;
    check(::fchmod(out.get(), mode), "chmod", "/" + place);
    if (style_.latest) set_time(out.get(), *style_.latest, 0, place);
    out.close();
  }

  // Directories made on the way got the time of what was put into them.
  CopyResult finish() {
    if (style_.latest)
      for (auto it = made_.rbegin(); it != made_.rend(); ++it)
        set_time(open_directory(root_, *it).get(), *style_.latest, 0, *it);
    return std::move(result_);
  }

 private:
  // Makes the directories that the destination is in, or is, and follows links.
  std::string prepare_destination() {
    const std::string holder =
        names_directory(spec_.destination) ? path_ : parent_path(path_);
    note_made(make_missing(root_, resolve_destination(root_, holder),
                           style_.new_directory()));
    return resolve_destination(root_, path_);
  }

  bool is_directory(const std::string& path) const {
    return try_open_in_root(root_, path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
        .has_value();
  }

  bool unpack(const Match& match, int source_root) {
    if (match.entry.type != store::EntryType::file) return false;
    const Fd archive =
        open_in_root(source_root, match.path, O_RDONLY | O_NOFOLLOW);
    if (!is_archive(archive.get())) return false;
    NewDirectory style;  // --chmod has no say here
    style.owner = style_.owner;
    const std::string destination = resolve_destination(root_, path_);
    note_made(make_missing(root_, destination, style));
    const Fd target = open_directory(root_, destination);
    in_context("unpack /" + match.path, [&] {
      for (auto& [path, held] :
           unpack_archive(archive.get(), "/" + match.path, target.get(),
                          style_.owner, style_.latest))
        result_.held[destination.empty() ? path : destination + "/" + path] =
            held;
    });
    result_.contents.forget_all();  // it may have replaced anything
    return true;
  }

  void note_made(const std::vector<std::string>& directories) {
    made_.insert(made_.end(), directories.begin(), directories.end());
  }

  const CopySpec& spec_;
  int root_;
  std::string path_;  // the destination, cleaned, links not followed
  CopyStyle style_;
  std::vector<std::string> made_;
  CopyResult result_;
};

}  // namespace

CopyResult copy_files(const CopySpec& spec,
                      const std::vector<CopyOrigin>& origins,
                      int destination_root) {
  Copying copying(spec, destination_root);
  for (std::size_t i = 0; i < spec.sources.size(); ++i)
    copying.copy_source(spec.sources[i], origins.at(i));
  for (const InlineFile& file : spec.inline_files) copying.copy_inline(file);
  return copying.finish();
}

CopyResult copy_files(const CopySpec& spec, const FileView& from,
                      int source_root, int destination_root) {
  const CopyOrigin origin{&from, source_root, std::nullopt};
  return copy_files(spec, std::vector(spec.sources.size(), origin),
                    destination_root);
}

}  // namespace cbuild::builder
