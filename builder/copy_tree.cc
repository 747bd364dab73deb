#include "builder/copy_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/log.h"

namespace cbuild::builder {
namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

}  // namespace

// An octal --chmod also goes for parents that are made on the way, but for its
// special bits; a symbolic one does not.
NewDirectory CopyStyle::new_directory() const {
  NewDirectory made;
  made.owner = owner;
  if (mode && mode->octal()) made.mode = mode->apply(0, true) & 0777;
  return made;
}

TreeCopier::TreeCopier(const FileView& from, int source_root,
                       int destination_root, const CopyStyle& style,
                       CopyResult& result)
    : from_(from),
      source_root_(source_root),
      destination_root_(destination_root),
      style_(style),
      result_(result) {}

std::vector<std::string> TreeCopier::copy(const Match& match,
                                          const CopyFilter& filter,
                                          const std::string& destination) {
  first_names_.clear();  // links are kept within one match only
  const bool directory = match.entry.directory();
  const std::optional<Fd> there =
      try_open_in_root(destination_root_, destination, O_PATH | O_NOFOLLOW);
  std::string place = destination;
  if (there && !directory) {
    struct stat st;
    check(::fstat(there->get(), &st), "stat", "/" + destination);
    if (S_ISDIR(st.st_mode)) place = joined(destination, match.name);
  }
  const std::string holder = directory && !there ? place : parent_path(place);
  std::vector<std::string> made =
      make_missing(destination_root_, holder, style_.new_directory());

  if (directory) {
    copy_directory(match, filter, place);
  } else {
    const Fd source = open_in_root(source_root_, parent_path(match.path),
                                   O_RDONLY | O_DIRECTORY);
    const Fd target = open_directory(destination_root_, holder);
    copy_entry(source.get(), match.entry, match.path, target.get(),
               last_component(place), place);
  }
  return made;
}

void TreeCopier::copy_directory(const Match& match, const CopyFilter& filter,
                                const std::string& destination) {
  levels_.clear();
  Level top;
  top.path = match.path;
  top.destination = destination;
  top.entry = match.entry;
  top.included = top.top = top.made = true;
  std::optional<Fd> target =
      try_open_in_root(destination_root_, destination, O_PATH | O_NOFOLLOW);
  struct stat st = {};
  if (target) check(::fstat(target->get(), &st), "stat", "/" + destination);
  if (!S_ISDIR(st.st_mode))
    throw Error("cannot copy to non-directory: /" + destination);
  top.target = open_directory(destination_root_, destination);
  levels_.push_back(std::move(top));

  SelectionWalk walk(from_, filter, match);
  while (const std::optional<SelectionWalk::Step> step = walk.next()) {
    if (step->kind == SelectionWalk::Step::Kind::enter) {
      enter(*step);
    } else if (step->kind == SelectionWalk::Step::Kind::leave) {
      leave();
    } else {
      make_levels();
      const std::string place =
          joined(levels_.back().destination, step->entry->name);
      copy_entry(source_of(levels_.size() - 1), *step->entry, step->path,
                 levels_.back().target.get(), step->entry->name, place);
    }
  }
  if (walk.sockets() == 0) return;
  const std::string more = std::to_string(walk.sockets() - 1);
  warn("/" + walk.first_socket() + " is a socket and not copied" +
       (more == "0" ? "" : " (and " + more + " more)"));
}

void TreeCopier::enter(const SelectionWalk::Step& step) {
  if (step.relative.empty()) return;  // the top is open already
  Level level;
  level.path = step.path;
  level.destination = joined(levels_.back().destination, step.entry->name);
  level.entry = *step.entry;
  level.included = step.included;
  levels_.push_back(std::move(level));
  if (step.included) make_levels();
}

// Metadata comes last: what is put into a directory changes its time.
void TreeCopier::leave() {
  const Level& level = levels_.back();
  if (level.top && level.path.empty()) {
    // The root of a context or stage is as new as the build.
    set_time_now(level.target.get(), style_.latest, level.destination);
  } else if (level.top) {
    set_times(level.target.get(), level.entry, level.destination);
  } else if (level.made && level.included) {
    set_metadata(level.target.get(), level.entry, level.path,
                 source_of(levels_.size() - 1), level.destination);
  } else if (level.fresh && style_.latest) {
    set_time(level.target.get(), *style_.latest, 0, level.destination);
  }
  levels_.pop_back();
}

void TreeCopier::make_levels() {
  for (std::size_t i = 1; i < levels_.size(); ++i)
    if (!levels_[i].made) make_level(levels_[i], levels_[i - 1]);
}

void TreeCopier::make_level(Level& level, const Level& parent) {
  const std::string& name = level.entry.name;
  const int target = parent.target.get();
  level.fresh = ::mkdirat(target, name.c_str(), 0700) == 0;
  if (!level.fresh) {
    if (errno != EEXIST) throw_system_error("mkdir", "/" + level.destination);
    const std::optional<struct stat> st = lstat_at(target, name);
    if (st && !S_ISDIR(st->st_mode))
      throw Error("cannot copy to non-directory: /" + level.destination);
  }
  level.target = openat_path(target, name, kOpenDirectory);
  level.made = true;
  if (level.included) return;

  // A directory on the way to what --parents selects: complete if it is new,
  // else only the mode goes over (fsutil's createParentDirs).
  if (level.fresh)
    set_metadata(level.target.get(), level.entry, level.path,
                 source_of(static_cast<std::size_t>(&level - levels_.data())),
                 level.destination);
  else
    check(::fchmod(level.target.get(), level.entry.mode), "chmod",
          "/" + level.destination);
}

// The source's descriptor of an open level; opened when first needed.
int TreeCopier::source_of(std::size_t index) {
  Level& level = levels_[index];
  if (level.source) return level.source.get();
  if (index == 0)
    level.source = open_in_root(source_root_, level.path, kOpenDirectory);
  else
    level.source =
        openat_path(source_of(index - 1), level.entry.name, kOpenDirectory);
  return level.source.get();
}

}  // namespace cbuild::builder
