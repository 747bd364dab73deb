// Views of layers that are copies: what a command wrote is found out as if it
// had run on overlayfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <catch2/catch.hpp>

#include "base/overlay_marks.h"
#include "base/text.h"
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

TEST_CASE("a copied view leaves in upper what overlayfs would") {
  NEED_SANDBOX();
  Sandbox sandbox;
  for (const char* path : {"/gone/file", "/made-anew/file", "/kept/below/file",
                           "/kept/other", "/file-then-dir", "/moved/file"})
    sandbox.put(path, "text");
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

}  // namespace
}  // namespace cbuild::runtime
