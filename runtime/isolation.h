// The ladder of isolation: what this process may do decides how a RUN is kept
// apart (DESIGN.md section 6).
//
//   root      namespaces with the machine's own root
//   userns    the same as root of a user namespace: what a user can have
//   chroot    chroot(2) alone, where no namespace is allowed: chroot_runner.h
//   none      no RUN; files are still copied and images moved
//
// How layers are seen as one directory is another question (view_choice.h).
// Entering changes the whole process (user_namespace.h), so it is done once,
// before there is a second thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/runner.h"

namespace cbuild::runtime {

struct IsolationChoice {
  enum class Rung { automatic, root, userns, chroot };
  Rung rung = Rung::automatic;
  std::optional<ViewKind> view;  // none: what there is
};

struct Isolation {
  enum class Rung { root, userns, chroot, none };
  Rung rung = Rung::none;
  // One line for the user: what was taken, and why nothing better. Empty for
  // root, which leaves nothing to say.
  std::string text;
  std::optional<ViewKind> view;  // as it was chosen
};

// What --isolation takes, for messages.
std::string isolation_names();
// RUNG[:VIEW], "" and docker's "default" for auto. nullopt for others.
std::optional<IsolationChoice> parse_isolation(std::string_view name);

// The name of a rung, as it is shown and given.
std::string name_of(Isolation::Rung rung);

// Takes the best rung there is, or the one asked for. Throws IsolationError
// where that one cannot be had.
Isolation enter_isolation(IsolationChoice choice);

// The runner for it. Where no RUN is possible it says so when it is asked to.
std::unique_ptr<Runner> make_runner(const Isolation& isolation,
                                    const std::string& state_dir,
                                    RunnerOptions options);

}  // namespace cbuild::runtime
