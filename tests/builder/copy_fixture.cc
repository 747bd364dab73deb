#include "tests/builder/copy_fixture.h"

#include <catch2/catch.hpp>

#include "base/text.h"

namespace cbuild::builder::testing {
namespace {

using Tree = std::map<std::string, std::string>;

void make_node(const std::string& path, const Node& node) {
  if (path.ends_with('/')) {
    make_dirs(path.substr(0, path.size() - 1));
  } else if (node.text.starts_with("-> ")) {
    check(::symlink(node.text.substr(3).c_str(), path.c_str()), "link", path);
  } else {
    Fd out = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write_all(out.get(), node.text, path);
  }
}

void describe_below(int dir, const std::string& prefix, Tree& tree) {
  for (const std::string& name : list_dir(dir)) {
    const struct stat st = *lstat_at(dir, name);
    char text[64];
    std::snprintf(text, sizeof text, " %o %u:%u", st.st_mode & 07777, st.st_uid,
                  st.st_gid);
    std::string& entry = tree[prefix + name];
    if (S_ISDIR(st.st_mode)) {
      entry = "d" + std::string(text);
      const Fd child = openat_path(dir, name, O_RDONLY | O_DIRECTORY);
      describe_below(child.get(), prefix + name + "/", tree);
    } else if (S_ISLNK(st.st_mode)) {
      std::snprintf(text, sizeof text, "l %u:%u -> ", st.st_uid, st.st_gid);
      entry = text + readlink_at(dir, name);
    } else if (S_ISREG(st.st_mode)) {
      entry = "f" + std::string(text) + " " + *read_file_at(dir, name);
    } else {
      entry = (S_ISFIFO(st.st_mode) ? "p" : "other") + std::string(text);
    }
  }
}

}  // namespace

bool have_root() {
  if (::geteuid() == 0) return true;
  WARN("SKIPPED: only root can give files away");
  return false;
}

void plant(const std::string& root, const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    const std::string path = root + "/" + node.path;
    make_dirs(path.substr(0, path.find_last_of('/', path.size() - 2)));
    make_node(path, node);
  }
  // Last first, so that no directory is touched after it got its time.
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const std::string path = root + "/" + node->path;
    const bool link = node->text.starts_with("-> ");
    const unsigned usual = path.ends_with('/') ? 0755 : 0644;
    if (node->uid || node->gid)
      check(::lchown(path.c_str(), node->uid, node->gid), "chown", path);
    if (!link)
      check(::chmod(path.c_str(), node->mode ? node->mode : usual), "chmod",
            path);
    const timespec times[2] = {{kMtime, 0}, {kMtime, 0}};
    check(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW),
          "utime", path);
  }
}

Tree describe(const std::string& root) {
  Tree tree;
  const Fd dir = open_path(root, O_RDONLY | O_DIRECTORY);
  describe_below(dir.get(), "", tree);
  return tree;
}

CopyWorld::CopyWorld()
    : dir(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp",
          "cbuild-copy-test-"),
      context(dir.path() + "/context"),
      destination(dir.path() + "/root") {
  make_dirs(context);
  make_dirs(destination);
}

FileView CopyWorld::view() const {
  return FileView::of_directory(context, parser::IgnoreMatcher(ignore),
                                dir.path() + "/table");
}

void CopyWorld::run(const CopySpec& spec) const {
  const FileView from = view();
  const Fd source = open_path(context, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(destination, O_RDONLY | O_DIRECTORY);
  copy_key_inputs(spec, from);
  copy_files(spec, from, source.get(), target.get());
}

void CopyWorld::run_from(const std::string& tree, const CopySpec& spec) const {
  const Fd source = open_path(tree, O_RDONLY | O_DIRECTORY);
  const Fd target = open_path(destination, O_RDONLY | O_DIRECTORY);
  const FileView from = layers_of(tree);
  copy_key_inputs(spec, from);
  copy_files(spec, from, source.get(), target.get());
}

store::KeyInputs CopyWorld::key(const CopySpec& spec) const {
  return copy_key_inputs(spec, view());
}

FileView layers_of(const std::string& tree) {
  const Fd dir = open_path(tree, O_RDONLY | O_DIRECTORY);
  auto index = std::make_shared<const store::LayerIndex>(
      store::scan_tree(dir.get(), {}, 1));
  return FileView::of_layers(std::make_shared<store::MergedIndex>(
      std::vector<std::shared_ptr<const store::LayerIndex>>{index}));
}

CopySpec copy_spec(std::vector<std::string> sources, std::string destination) {
  CopySpec spec;
  spec.sources = std::move(sources);
  spec.destination = std::move(destination);
  return spec;
}

CopySpec add_spec(std::vector<std::string> sources, std::string destination) {
  CopySpec spec = copy_spec(std::move(sources), std::move(destination));
  spec.add = true;
  return spec;
}

}  // namespace cbuild::builder::testing
