#include "runtime/isolation.h"

#include <linux/capability.h>

#include <cerrno>
#include <cstring>

#include "base/privileges.h"
#include "runtime/overlay.h"
#include "runtime/user_namespace.h"

namespace cbuild::runtime {
namespace {

std::string describe(const UserNamespace& entered) {
  if (entered.why_single.empty())
    return "isolation: a user namespace with " + std::to_string(entered.ids) +
           " ids, as there is no root";
  return "isolation: a user namespace with one id (" + entered.why_single +
         "): commands cannot use other users";
}

std::string refusal(int error) {
  const std::string reason = std::strerror(error);
  return "no user namespace is allowed here (unshare: " + reason +
         "); see 'cbuild doctor'";
}

Isolation enter_userns() {
  // Root of a namespace that somebody made for us (`unshare -r`, a container).
  if (!in_first_user_namespace() && has_capability(CAP_SYS_ADMIN) &&
      enter_mount_namespace())
    return {Isolation::Rung::userns,
            "isolation: the user namespace that cbuild was started in"};
  const UserNamespace entered = enter_user_namespace();
  if (entered.entered) return {Isolation::Rung::userns, describe(entered)};
  return {Isolation::Rung::none, refusal(entered.error)};
}

}  // namespace

std::string isolation_names() { return "auto, root or userns"; }

std::optional<IsolationChoice> parse_isolation(std::string_view name) {
  if (name.empty() || name == "auto" || name == "default")
    return IsolationChoice::automatic;
  if (name == "root") return IsolationChoice::root;
  if (name == "userns") return IsolationChoice::userns;
  return std::nullopt;
}

Isolation enter_isolation(IsolationChoice choice) {
  const bool root = in_first_user_namespace() && has_capability(CAP_SYS_ADMIN);
  if (choice == IsolationChoice::root && !root)
    throw IsolationError("--isolation=root needs root (CAP_SYS_ADMIN)");
  if (root && choice != IsolationChoice::userns)
    return {Isolation::Rung::root, ""};
  const Isolation isolation = enter_userns();
  if (choice != IsolationChoice::automatic &&
      isolation.rung == Isolation::Rung::none)
    throw IsolationError(isolation.text);
  return isolation;
}

}  // namespace cbuild::runtime
