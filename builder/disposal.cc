#include "builder/disposal.h"

#include <fcntl.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace cbuild::builder {
namespace {

std::vector<std::string> names_in(const std::string& path) {
  return list_dir(open_path(path, O_RDONLY | O_DIRECTORY).get());
}

// And in that no copy of layers (runtime/copy_view.h).
bool holds_only_work(const std::string& path) {
  if (names_in(path) != std::vector<std::string>{"work"}) return false;
  for (const std::string& name : names_in(path + "/work"))
    if (name != "work" && name != "incompat") return false;  // overlayfs's
  return true;
}

void remove_on(Workers& workers, TempDir directory) try {
  workers.submit([gone = std::make_shared<TempDir>(
                      std::move(directory))]() mutable { gone.reset(); });
} catch (const SystemError&) {
  // No thread to be had: the directory went with the job.
}

}  // namespace

Disposal::~Disposal() {
  begin();
  small_workers_.wait();
  large_workers_.wait();
}

void Disposal::take(TempDir directory) {
  if (!holds_only_work(directory.path()))
    return remove_on(large_workers_, std::move(directory));
  const std::lock_guard lock(mutex_);
  small_.push_back(std::move(directory));
}

void Disposal::begin() {
  const std::lock_guard lock(mutex_);
  for (TempDir& directory : std::exchange(small_, {}))
    remove_on(small_workers_, std::move(directory));
}

}  // namespace cbuild::builder
