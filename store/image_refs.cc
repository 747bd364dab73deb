#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "base/dir.h"
#include "store/damage.h"
#include "store/image_store.h"
#include "store/json.h"

// <root>/refs/: what remote references resolved to. The file's mtime is when it
// was last of use, exact to a day.

namespace cbuild::store {
namespace {

constexpr std::time_t kDay = 24 * 60 * 60;

std::string file_of(const std::string& root, const std::string& reference,
                    const Platform& platform) {
  std::string name = reference + '\n' + platform.text();
  if (!platform.os_version.empty()) name += '\n' + platform.os_version;
  return root + "/refs/" + sha256(name).hex();
}

std::optional<Descriptor> read_ref(int fd, const std::string& path) {
  try {
    const Json json = parse_object(read_all(fd, path), path);
    const Json* manifest = member(json, "manifest");
    if (!manifest) return std::nullopt;
    return descriptor_from(*manifest);
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    // A file that a power cut left short: the registry is asked again.
    ::unlink(path.c_str());
    report_damage("what the registry said is damaged: dropped, it is asked "
                  "again");
    return std::nullopt;
  }
}

}  // namespace

void ImageStore::remember(const std::string& reference,
                          const Platform& platform,
                          const Descriptor& manifest) {
  const Json json = {{"reference", reference},
                     {"platform", platform.text()},
                     {"manifest", descriptor_to(manifest)}};
  staging_->replace(file_of(root_, reference, platform), dump(json));
}

std::optional<Descriptor> ImageStore::recall(const std::string& reference,
                                             const Platform& platform) const {
  const std::string path = file_of(root_, reference, platform);
  const std::optional<Fd> fd = try_openat(AT_FDCWD, path, O_RDONLY);
  if (!fd) return std::nullopt;
  struct stat st;
  check(::fstat(fd->get(), &st), "stat", path);
  // Whoever may read but not write the store still gets the answer.
  if (std::time(nullptr) - st.st_mtime > kDay)
    static_cast<void>(::futimens(fd->get(), nullptr));
  return read_ref(fd->get(), path);
}

std::vector<Descriptor> ImageStore::remembered() const {
  const Fd dir = open_path(root_ + "/refs", O_RDONLY | O_DIRECTORY);
  std::vector<Descriptor> found;
  for (const std::string& name : list_dir(dir.get())) {
    const std::string path = root_ + "/refs/" + name;
    const std::optional<Fd> fd = try_openat(AT_FDCWD, path, O_RDONLY);
    if (!fd) continue;
    if (auto descriptor = read_ref(fd->get(), path))
      found.push_back(std::move(*descriptor));
  }
  return found;
}

std::size_t ImageStore::forget_older(std::int64_t seconds) {
  const Fd dir = open_path(root_ + "/refs", O_RDONLY | O_DIRECTORY);
  std::size_t forgotten = 0;
  for (const std::string& name : list_dir(dir.get())) {
    const auto st = lstat_at(dir.get(), name);
    if (!st || st->st_mtime >= seconds) continue;
    remove_tree_at(dir.get(), name);
    ++forgotten;
  }
  return forgotten;
}

}  // namespace cbuild::store
