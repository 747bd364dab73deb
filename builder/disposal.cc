#include "builder/disposal.h"

#include <fcntl.h>

#include <string>

namespace cbuild::builder {
namespace {

bool holds_only_work(const std::string& path) {
  const Fd dir = open_path(path, O_RDONLY | O_DIRECTORY);
  return list_dir(dir.get()) == std::vector<std::string>{"work"};
}

}  // namespace

void Disposal::take(TempDir directory) {
  if (holds_only_work(directory.path())) {
    const std::lock_guard lock(mutex_);
    small_.push_back(std::move(directory));
    return;
  }
  workers_.submit([gone = std::make_shared<TempDir>(
                       std::move(directory))]() mutable { gone.reset(); });
}

}  // namespace cbuild::builder
