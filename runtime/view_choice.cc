#include "runtime/view_choice.h"

#include <memory>

#include "base/log.h"
#include "runtime/fuse_view.h"

namespace cbuild::runtime {

std::optional<ViewKind> parse_view(std::string_view name) {
  if (name == "overlay") return ViewKind::overlay;
  if (name == "fuse") return ViewKind::fuse;
  if (name == "copy") return ViewKind::copy;
  return std::nullopt;
}

std::string overlay_refusal(const std::string& directory) {
  const OverlaySpec spec{
      {directory + "/lower"}, directory + "/upper", directory + "/work"};
  for (const std::string& path : {spec.lowers[0], spec.upper, spec.work})
    make_dirs(path);
  try {
    mount_overlay(spec);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

ViewKind ViewChoice::find(const std::string& scratch) const {
  const std::string overlay = wanted_ == ViewKind::fuse
                                  ? "fuse was asked for"
                                  : overlay_refusal(scratch);
  if (overlay.empty()) return ViewKind::overlay;
  if (wanted_ == ViewKind::overlay)
    throw IsolationError("overlay was asked for: " + overlay);
  const std::string fuse = fuse_refusal(scratch);
  if (wanted_ && !fuse.empty()) throw IsolationError(overlay + ": " + fuse);
  if (!wanted_)
    warn("no overlayfs here (" + overlay + ")" +
         (fuse.empty() ? ": fuse-overlayfs takes its place"
                       : ", nor fuse-overlayfs (" + fuse +
                             "): each step works on a copy of what is below"));
  return fuse.empty() ? ViewKind::fuse : ViewKind::copy;
}

ViewKind ViewChoice::kind() {
  const std::lock_guard lock(mutex_);
  if (kind_) return *kind_;
  if (wanted_ == ViewKind::copy) return *(kind_ = ViewKind::copy);
  TempDir scratch = scratch_();
  kind_ = find(scratch.path());
  // The first step need not wait for it.
  removal_.submit([gone = std::make_shared<TempDir>(
                       std::move(scratch))]() mutable { gone.reset(); });
  return *kind_;
}

}  // namespace cbuild::runtime
