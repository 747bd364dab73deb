#include "sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string scratch() {
  const char* dir = std::getenv("TMPDIR");
  return dir && *dir ? dir : "/tmp";
}

std::string busybox() {
  for (const char* path : {"/bin/busybox", "/usr/bin/busybox"})
    if (::access(path, X_OK) == 0) return path;
  return "";
}

std::string find_missing() {
  if (::geteuid() != 0) return "needs root";
  if (busybox().empty()) return "needs a static busybox (busybox-static)";
  const TempDir dir(scratch(), "cbuild-probe-");
  for (const char* name : {"/lower", "/upper", "/work"})
    make_dirs(dir.path() + name);
  try {
    mount_overlay(
        {{dir.path() + "/lower"}, dir.path() + "/upper", dir.path() + "/work"});
  } catch (const Error& e) {
    return std::string("no overlay here: ") + e.what();
  }
  return "";
}

void write_file(const std::string& path, const std::string& content) {
  make_dirs(fs::path(path).parent_path());
  const Fd file = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file.get(), content, path);
}

}  // namespace

std::string missing_for_sandbox() {
  static const std::string missing = find_missing();
  return missing;
}

Sandbox::Sandbox() : dir_(scratch(), "cbuild-runtime-") {
  ::chmod(dir().c_str(), 0755);
  for (const char* name : {"bin", "etc", "proc", "sys", "dev", "root"})
    make_dirs(root() + "/" + name);
  make_dirs(root() + "/tmp");
  ::chmod((root() + "/tmp").c_str(), 01777);
  fs::copy_file(busybox(), root() + "/bin/busybox");
  for (const char* applet :
       {"sh",    "cat",   "id",    "ls",    "mount", "stat",    "grep",
        "sleep", "touch", "mkdir", "rm",    "awk",   "true",    "echo",
        "find",  "sort",  "mv",    "ln",    "chmod", "chown",   "df",
        "env",   "mknod", "dd",    "rmdir", "wc",    "unshare", "readlink",
        "yes",   "head",  "tr"})
    fs::create_symlink("busybox", root() + "/bin/" + applet);
  put("/etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\n"
      "app:x:1000:1001:app:/home/app:/bin/sh\n");
  put("/etc/group", "root:x:0:root\nstaff:x:50:app\napp:x:1001:\n");
  runner_ = std::make_unique<NamespaceRunner>(dir() + "/state");
}

RunSpec Sandbox::spec(const std::string& script) {
  const std::string base = dir() + "/run" + std::to_string(count_++);
  upper_ = base + "/upper";
  make_dirs(upper_);
  make_dirs(base + "/work");
  make_dirs(base + "/scratch");
  RunSpec spec;
  spec.root = {{root()}, upper_, base + "/work"};
  spec.argv = {"/bin/sh", "-c", script};
  spec.env = {kPath};
  spec.network = NetworkMode::none;
  return spec;
}

Output Sandbox::run(const RunSpec& spec, const std::atomic<bool>* stop) {
  Output output;
  output.status = runner_->run(
      spec,
      [&](Stream stream, std::string_view text) {
        (stream == Stream::out ? output.out : output.err) += text;
      },
      stop);
  return output;
}

std::string Sandbox::written() const {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(upper_))
    paths.push_back(entry.path().string().substr(upper_.size()));
  std::sort(paths.begin(), paths.end());
  return join(paths, " ");
}

void Sandbox::put(const std::string& path, const std::string& content) {
  write_file(root() + path, content);
}

std::string make_source(const Sandbox& sandbox, const std::string& name,
                        const std::string& file, const std::string& content) {
  const std::string dir = sandbox.dir() + "/" + name;
  write_file(dir + "/" + file, content);
  return dir;
}

}  // namespace cbuild::runtime
