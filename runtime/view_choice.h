// Which of the views of layer_view.h this place allows, found out by trying.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/dir.h"
#include "base/workers.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {

// "overlay", "fuse" or "copy".
std::optional<ViewKind> parse_view(std::string_view name);

// Why there is no overlayfs in `directory`, which is empty and on the store's
// file system; "" where there is. Leaves something in it.
std::string overlay_refusal(const std::string& directory);

// The answer of one process. Any thread.
class ViewChoice {
 public:
  // `scratch` gives a directory to try in. `wanted`: no other will do.
  ViewChoice(std::optional<ViewKind> wanted, std::function<TempDir()> scratch)
      : wanted_(wanted), scratch_(std::move(scratch)) {}

  // Tries at the first call, and says through base/log.h where overlayfs is
  // refused. Throws IsolationError where the wanted one is.
  ViewKind kind();

 private:
  ViewKind find(const std::string& scratch) const;

  const std::optional<ViewKind> wanted_;
  const std::function<TempDir()> scratch_;
  std::mutex mutex_;
  std::optional<ViewKind> kind_;
  Workers removal_{1};  // of the directory that was tried in
};

}  // namespace cbuild::runtime
