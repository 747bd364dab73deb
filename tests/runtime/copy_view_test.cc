// Views of layers that are copies: what a command wrote is found out as if it
// had run on overlayfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "base/overlay_marks.h"
#include "base/text.h"
#include "runtime/kept_trees.h"
#include "runtime/layer_view.h"
#include "sandbox.h"

namespace cbuild::runtime {
namespace {

RunSpec copy_spec(Sandbox& sandbox, const std::string& script) {
  RunSpec spec = sandbox.spec(script);
  spec.root.kind = ViewKind::copy;
  return spec;
}

std::string describe(const std::string& upper, const std::string& path) {
  struct stat st;
  if (::lstat((upper + path).c_str(), &st) == -1) return "absent";
  if (is_whiteout(upper + path, st)) return "whiteout";
  if (!S_ISDIR(st.st_mode)) return "file";
  const Fd dir = open_path(upper + path, O_RDONLY | O_DIRECTORY);
  return is_opaque(dir.get()) ? "opaque" : "directory";
}

// What the commands below change.
void put_files(Sandbox& sandbox) {
  for (const char* path : {"/gone/file", "/made-anew/file", "/kept/below/file",
                           "/kept/other", "/file-then-dir", "/moved/file"})
    sandbox.put(path, "text");
}

TEST_CASE("a copied view leaves in upper what overlayfs would") {
  NEED_SANDBOX();
  Sandbox sandbox;
  put_files(sandbox);
  const Output output = sandbox.run(copy_spec(sandbox, R"(
    rm -r /gone; rm -r /made-anew; mkdir /made-anew; echo x >/kept/below/file
    rm /file-then-dir; mkdir /file-then-dir; mv /moved /elsewhere
    mkfifo /fifo 2>/dev/null; ln /kept/other /kept/link; true)"));
  REQUIRE(output.status.code == 0);
  const std::string upper = sandbox.upper();
  CHECK(describe(upper, "/gone") == "whiteout");
  CHECK(describe(upper, "/made-anew") == "opaque");
  CHECK(describe(upper, "/file-then-dir") == "opaque");
  CHECK(describe(upper, "/moved") == "whiteout");
  CHECK(describe(upper, "/elsewhere/file") == "file");
  CHECK(describe(upper, "/kept") == "directory");
  CHECK(describe(upper, "/kept/below/file") == "file");
  CHECK(describe(upper, "/kept/link") == "file");
  CHECK(describe(upper, "/bin") == "absent");
  CHECK(describe(upper, "/proc") == "absent");
}

TEST_CASE("a copied view shares no file with the layers below") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/file", "before");
  CHECK(sandbox.run(copy_spec(sandbox, "echo after >/file")).status.code == 0);
  CHECK(read_file(sandbox.root() + "/file") == "before");
  CHECK(read_file(sandbox.upper() + "/file") == "after\n");
}

TEST_CASE("a change is found whatever time the command sets") {
  NEED_SANDBOX();
  Sandbox sandbox;
  sandbox.put("/file", "before");
  CHECK(sandbox
            .run(copy_spec(sandbox,
                           "touch -r /file /time; printf 'after!' >/file; "
                           "touch -r /time /file; rm /time"))
            .status.code == 0);
  CHECK(read_file(sandbox.upper() + "/file") == "after!");
}

TEST_CASE("layers are put together with whiteouts and opaque directories") {
  NEED_SANDBOX();
  const Sandbox sandbox;
  const std::string top = make_source(sandbox, "top", "a/new", "");
  const std::string base = make_source(sandbox, "base", "a/old", "");
  make_source(sandbox, "base", "gone", "");
  make_source(sandbox, "base", "stays", "text");
  const Fd dir = open_path(top, O_RDONLY | O_DIRECTORY);
  make_whiteout_at(dir.get(), "gone");
  mark_opaque(openat_path(dir.get(), "a", O_RDONLY | O_DIRECTORY).get());
  make_dirs(sandbox.dir() + "/copy");
  const auto view =
      make_view({{top, base}, "", sandbox.dir() + "/copy", ViewKind::copy});
  const Fd root = view->open();
  CHECK(join(list_dir(root.get()), " ") == "a stays");
  CHECK(join(list_dir(openat_path(root.get(), "a", O_RDONLY).get()), " ") ==
        "new");
  struct stat here, there;  // for reading, files are linked
  CHECK(::fstatat(root.get(), "stays", &here, 0) == 0);
  CHECK(::stat((base + "/stays").c_str(), &there) == 0);
  CHECK(here.st_ino == there.st_ino);
}

// Every path below `dir` with mode, owner and content.
std::string listing(const std::string& dir) {
  std::string text;
  for (const std::string& name :
       list_dir(open_path(dir, O_RDONLY | O_DIRECTORY).get())) {
    const std::string path = dir + "/" + name;
    struct stat st;
    REQUIRE(::lstat(path.c_str(), &st) == 0);
    text += name + " " + std::to_string(st.st_mode) + " " +
            std::to_string(st.st_uid) + " " +
            std::to_string(st.st_mtim.tv_nsec);
    if (S_ISREG(st.st_mode)) text += " " + read_file(path).value_or("");
    if (S_ISDIR(st.st_mode)) text += " (" + listing(path) + ")";
    text += "\n";
  }
  return text;
}

TEST_CASE("the copy of the step below serves the next one as a new one would") {
  NEED_SANDBOX();
  Sandbox sandbox;
  put_files(sandbox);
  int made = 0;
  KeptTrees kept([&] {
    ++made;
    return TempDir(sandbox.dir(), "kept-");
  });
  RunSpec spec = copy_spec(sandbox, R"(
    rm -r /gone; rm -r /made-anew; mkdir /made-anew; echo x >/kept/below/file
    rm /file-then-dir; mkdir /file-then-dir; mv /moved /elsewhere
    chmod 700 / /kept; chown 7 /kept; touch -d @1 /kept; ln /kept/other /kept/l
    echo y >/bin/new; touch /kept/looked-at; rm /kept/looked-at)");
  spec.root.kept = &kept;
  REQUIRE(sandbox.run(spec).status.code == 0);
  const std::string layer = sandbox.dir() + "/layer";  // as the store has it
  REQUIRE(::rename(spec.root.upper.c_str(), layer.c_str()) == 0);
  std::vector<std::string> lowers = {layer};
  lowers.insert(lowers.end(), spec.root.lowers.begin(), spec.root.lowers.end());
  const auto view_of = [&](KeptTrees* trees) {
    OverlaySpec root = copy_spec(sandbox, "").root;
    root.lowers = lowers;
    root.kept = trees;
    const auto view = make_view(root);
    return listing(root.work + "/merged");
  };
  const std::string fresh = view_of(nullptr);
  CHECK(made == 1);
  CHECK(view_of(&kept) == fresh);
  CHECK_FALSE(kept.take(lowers));  // it was used
}

TEST_CASE("a kept copy is not taken for other layers") {
  NEED_SANDBOX();
  Sandbox sandbox;
  KeptTrees kept([&] { return TempDir(sandbox.dir(), "kept-"); });
  const auto directory = [&](const std::string& name) {
    make_dirs(sandbox.dir() + "/" + name);
    return sandbox.dir() + "/" + name;
  };
  const std::string upper = directory("upper"), other = directory("other");
  kept.offer(directory("tree"), {"/a", "/b"}, upper);
  CHECK_FALSE(kept.take({upper, "/a"}));
  CHECK_FALSE(kept.take({upper, "/b", "/a"}));
  CHECK_FALSE(kept.take({other, "/a", "/b"}));
  CHECK(kept.take({upper, "/a", "/b"}));
}

}  // namespace
}  // namespace cbuild::runtime
