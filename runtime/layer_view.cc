#include "runtime/layer_view.h"

#include "runtime/copy_view.h"
#include "runtime/fuse_view.h"

namespace cbuild::runtime {
namespace {

class OverlayView final : public LayerView {
 public:
  explicit OverlayView(OverlaySpec spec) : spec_(std::move(spec)) {}
  Fd open() override { return mount_overlay(spec_); }

 private:
  const OverlaySpec spec_;
};

}  // namespace

std::unique_ptr<LayerView> make_view(const OverlaySpec& spec) {
  // One directory is seen as it is.
  const bool single =
      spec.lowers.empty() || (spec.upper.empty() && spec.lowers.size() == 1);
  switch (spec.kind) {
    case ViewKind::overlay:
      break;
    case ViewKind::fuse:
      if (single) return std::make_unique<CopyView>(spec);
      return std::make_unique<FuseView>(spec);
    case ViewKind::copy:
      return std::make_unique<CopyView>(spec);
  }
  return std::make_unique<OverlayView>(spec);
}

}  // namespace cbuild::runtime
