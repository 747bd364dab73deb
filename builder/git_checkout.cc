#include "builder/git_checkout.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/text.h"
#include "registry/errors.h"

namespace cbuild::builder {
namespace {

void make_directory(const std::string& path) {
  check(::mkdir(path.c_str(), 0700), "mkdir", path);
  check(::chmod(path.c_str(), 0755), "chmod", path);
}

// A git directory that has nothing of its own but the index and submodules: the
// objects are the repository's.
void borrow_objects(const GitCheckout& checkout, const GitCommand& git) {
  git.run({"init", "--quiet",
           std::string("--object-format=") +
               (checkout.object.size() == 64 ? "sha256" : "sha1")});
  const Fd info =
      open_path(git.git_dir + "/objects/info", O_RDONLY | O_DIRECTORY);
  replace_file_at(info.get(), "alternates", checkout.repository + "/objects\n",
                  false);
  const std::string shallow = checkout.repository + "/shallow";
  if (const auto text = read_file(shallow)) {
    const Fd dir = open_path(git.git_dir, O_RDONLY | O_DIRECTORY);
    replace_file_at(dir.get(), "shallow", *text, false);
  }
  git.run({"config", "remote.origin.url", checkout.git.remote});
  git.run({"read-tree", "--reset", "-u", checkout.object + "^{commit}"});
}

// A repository of its own, with this one commit.
void clone(const GitCheckout& checkout, const GitCommand& git) {
  git.run({"init", "--quiet",
           std::string("--object-format=") +
               (checkout.object.size() == 64 ? "sha256" : "sha1")});
  GitCommand local = git;
  local.local = true;
  std::string refspec = "refs/cbuild/" + checkout.object;
  if (!is_commit_id(checkout.ref)) refspec += ":" + checkout.ref;
  local.run({"fetch", "--quiet", "--update-head-ok", "--depth=1", "--no-tags",
             "--", "file://" + checkout.repository, refspec});
  git.run({"checkout", "--quiet", "--detach", "FETCH_HEAD"});
  git.run({"config", "remote.origin.url", checkout.git.remote});
  git.run(
      {"config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"});
  git.run({"reflog", "expire", "--all", "--expire=now"});
  remove_tree(git.git_dir + "/FETCH_HEAD");
}

void update_submodules(const GitCommand& git) {
  git.run(
      {"submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"});
}

// The repositories of submodules stay in the main one, which is ours alone, so
// that of a later commit only what is new is fetched. Where that does not work,
// as one may be damaged or from an address of old, all is fetched anew.
void update_kept_submodules(const GitCheckout& checkout,
                            const GitCommand& git) {
  const std::string kept = checkout.repository + "/modules";
  const std::string link = git.git_dir + "/modules";
  make_dirs(kept, 0700);
  check(::symlink(kept.c_str(), link.c_str()), "symlink", link);
  try {
    return update_submodules(git);
  } catch (const registry::RegistryError&) {
    if (list_dir(open_path(kept, O_RDONLY | O_DIRECTORY).get()).empty()) throw;
  }
  for (const std::string& path : {kept, git.git_dir, git.work_tree})
    remove_tree(path);
  make_directory(git.work_tree);
  borrow_objects(checkout, git);
  update_submodules(git);
}

// What submodules leave in the tree; git lets no file of a commit have that
// name.
void remove_git_entries(int directory) {
  remove_tree_at(directory, ".git");
  for (const std::string& name : list_dir(directory)) {
    const auto st = lstat_at(directory, name);
    if (st && S_ISDIR(st->st_mode))
      remove_git_entries(
          openat_path(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
              .get());
  }
}

void set_times(int directory, const timespec& time) {
  const timespec times[2] = {time, time};
  for (const std::string& name : list_dir(directory)) {
    const auto st = lstat_at(directory, name);
    if (st && S_ISDIR(st->st_mode))
      set_times(
          openat_path(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
              .get(),
          time);
    check(::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW),
          "set the time of", name);
  }
}

// Links on the way could lead out of the repository.
std::string subdirectory_of(const std::string& tree, const std::string& path) {
  std::string place = tree;
  for (const std::string& part : split(clean_path("/" + path), '/')) {
    if (part.empty()) continue;
    place += "/" + part;
    struct stat st;
    if (::lstat(place.c_str(), &st) == -1)
      throw registry::RegistryError(
          "invalid subdir " + path + ": no such directory", 0, "");
    if (!S_ISDIR(st.st_mode))
      throw registry::RegistryError(
          "invalid subdir " + path + ": " + part + " is not a directory", 0,
          "");
  }
  return place;
}

}  // namespace

std::string check_out(const GitCheckout& checkout, const GitCommand& command,
                      const std::string& workplace) {
  const GitReference& reference = checkout.git;
  GitCommand git = command;
  git.work_tree = workplace + "/tree";
  make_directory(git.work_tree);
  const bool keep = reference.keep_git_dir.value_or(false) &&
                    clean_path("/" + reference.subdirectory) == "/";
  git.git_dir = keep ? git.work_tree + "/.git" : workplace + "/git";
  if (keep)
    clone(checkout, git);
  else
    borrow_objects(checkout, git);

  const bool has_submodules =
      lstat_at(AT_FDCWD, git.work_tree + "/.gitmodules").has_value();
  if (has_submodules && reference.submodules.value_or(true)) {
    in_context("failed to update submodules for " + reference.remote, [&] {
      if (keep)
        update_submodules(git);
      else
        update_kept_submodules(checkout, git);
    });
    if (!keep)
      remove_git_entries(
          open_path(git.work_tree, O_RDONLY | O_DIRECTORY).get());
  }
  if (reference.commit_times) {
    const std::string seconds(trim(
        git.run({"log", "-1", "--format=%ct", checkout.object + "^{commit}"})));
    const Fd tree = open_path(git.work_tree, O_RDONLY | O_DIRECTORY);
    set_times(tree.get(), {static_cast<time_t>(std::stoll(seconds)), 0});
  }
  return subdirectory_of(git.work_tree, reference.subdirectory);
}

}  // namespace cbuild::builder
