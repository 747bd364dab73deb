#include "runtime/isolation.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/privileges.h"
#include "runtime/chroot_runner.h"
#include "runtime/confinement.h"
#include "runtime/outer_limits.h"
#include "runtime/try_apart.h"
#include "runtime/user_namespace.h"
#include "runtime/view_choice.h"

namespace cbuild::runtime {
namespace {

using Rung = IsolationChoice::Rung;

std::string describe(const UserNamespace& entered) {
  if (entered.why_single.empty())
    return "isolation: a user namespace with " + std::to_string(entered.ids) +
           " ids, as there is no root";
  const auto ids = [](std::uint64_t count, const char* what) {
    return count == 1 ? "one " + std::string(what) + " id"
                      : std::to_string(count) + " " + what + " ids";
  };
  if (entered.ids == 1 && entered.group_ids == 1)
    return "isolation: a user namespace with one id (" + entered.why_single +
           "): commands cannot use other users";
  return "isolation: a user namespace with " + ids(entered.ids, "user") +
         " and " + ids(entered.group_ids, "group") + " (" + entered.why_single +
         "): commands cannot use other " +
         (entered.ids == 1 ? "users" : "groups");
}

// In the mount namespace that came with it. A security module may let a user
// namespace be made and then refuse what it is for.
bool may_mount() {
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0;
}

// A directory that somebody called chroot(2) on: pivot_root(2) cannot leave it.
bool root_is_no_mount() {
  struct statx st = {};
  return ::statx(AT_FDCWD, "/", 0, 0, &st) == 0 &&
         (st.stx_attributes_mask & ~st.stx_attributes &
          STATX_ATTR_MOUNT_ROOT) != 0;
}

// Why the machine's root may not mount, as in a container with CAP_SYS_ADMIN
// and docker's AppArmor profile; "" where it may. Tried only where something
// can say no: a process costs as much as a tenth of a cached build.
std::string refusal_for_root() {
  if (root_is_no_mount())
    return "/ is a chroot's, and no mount: bind it on itself before";
  if (!has_seccomp_filter() && apparmor_profile().empty()) return "";
  const int code = errno_apart(
      [] { return ::unshare(CLONE_NEWNS) == 0 && may_mount() ? 0 : errno; });
  return code == 0 ? "" : "mount: " + reason_of(code);
}

Isolation take_chroot(const std::string& why) {
  const std::string missing = missing_for_chroot();
  const std::string start = "no namespace is allowed here (" + why + ")";
  if (!missing.empty())
    return {Isolation::Rung::none,
            start + ", nor chroot without " + missing +
                ": no RUN is possible; see 'cbuild doctor'",
            {}};
  return {Isolation::Rung::chroot,
          "isolation: chroot only, as " + start +
              ": a RUN has this container's network, and empty /proc and "
              "/sys; " +
              describe(find_confinement()) + "; see 'cbuild doctor'",
          {}};
}

Isolation enter_userns() {
  // Root of a namespace that somebody made for us (`unshare -r`, a container).
  if (!in_first_user_namespace() && has_capability(CAP_SYS_ADMIN) &&
      enter_mount_namespace())
    return {Isolation::Rung::userns,
            "isolation: the user namespace that cbuild was started in",
            {}};
  const UserNamespace entered = enter_user_namespace();
  if (!entered.entered)
    return take_chroot("unshare: " + std::string(std::strerror(entered.error)));
  if (!may_mount())
    return take_chroot("mount: " + std::string(std::strerror(errno)));
  return {Isolation::Rung::userns, describe(entered), {}};
}

Isolation chosen_chroot() {
  if (const std::string missing = missing_for_chroot(); !missing.empty())
    throw IsolationError("--isolation=chroot needs " + missing);
  return {Isolation::Rung::chroot,
          "isolation: chroot only, as it was asked for: a RUN has the host's "
          "network and devices, and empty /proc and /sys; " +
              describe(find_confinement()),
          {}};
}

// Says no when a RUN comes; what needs none is built.
class NoRunner final : public Runner {
 public:
  NoRunner(std::string why, RunnerOptions options)
      : why_(std::move(why)),
        views_(options.view, std::move(options.scratch)) {}
  ExitStatus run(const RunSpec&, const OutputSink&,
                 const std::atomic<bool>*) override {
    throw IsolationError(why_);
  }
  ViewKind view() override { return views_.kind(); }

 private:
  const std::string why_;
  ViewChoice views_;
};

}  // namespace

std::string isolation_names() {
  return "auto, root, userns or chroot, and :overlay, :fuse or :copy after it";
}

std::optional<IsolationChoice> parse_isolation(std::string_view name) {
  const std::size_t colon = name.find(':');
  const std::string_view rung = name.substr(0, colon);
  IsolationChoice choice;
  if (rung == "root")
    choice.rung = Rung::root;
  else if (rung == "userns")
    choice.rung = Rung::userns;
  else if (rung == "chroot")
    choice.rung = Rung::chroot;
  else if (!rung.empty() && rung != "auto" && rung != "default")
    return std::nullopt;
  if (colon == std::string_view::npos) return choice;
  choice.view = parse_view(name.substr(colon + 1));
  if (!choice.view) return std::nullopt;
  return choice;
}

std::string name_of(Isolation::Rung rung) {
  switch (rung) {
    case Isolation::Rung::root:
      return "root";
    case Isolation::Rung::userns:
      return "userns";
    case Isolation::Rung::chroot:
      return "chroot";
    case Isolation::Rung::none:
      break;
  }
  return "none";
}

Isolation enter_isolation(IsolationChoice choice) {
  const bool root = in_first_user_namespace() && has_capability(CAP_SYS_ADMIN);
  if (choice.rung == Rung::root && !root)
    throw IsolationError("--isolation=root needs root (CAP_SYS_ADMIN)");
  Isolation isolation{Isolation::Rung::root, "", {}};
  if (choice.rung == Rung::chroot)
    isolation = chosen_chroot();
  else if (!root || choice.rung == Rung::userns)
    isolation = enter_userns();
  else if (const std::string why = refusal_for_root(); !why.empty())
    isolation = take_chroot(why);
  if (choice.rung == Rung::root && isolation.rung != Isolation::Rung::root)
    throw IsolationError(isolation.text);
  if (choice.rung == Rung::userns && isolation.rung != Isolation::Rung::userns)
    throw IsolationError(isolation.text);
  isolation.view = choice.view;
  return isolation;
}

std::unique_ptr<Runner> make_runner(const Isolation& isolation,
                                    const std::string& state_dir,
                                    RunnerOptions options) {
  options.view = isolation.view;
  if (isolation.rung == Isolation::Rung::none)
    return std::make_unique<NoRunner>(isolation.text, std::move(options));
  if (isolation.rung == Isolation::Rung::chroot)
    return std::make_unique<ChrootRunner>(std::move(options));
  return std::make_unique<NamespaceRunner>(state_dir, std::move(options));
}

}  // namespace cbuild::runtime
