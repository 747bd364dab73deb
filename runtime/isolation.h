// The ladder of isolation: what this process may do decides how a RUN is kept
// apart (DESIGN.md section 6).
//
//   root      namespaces and overlayfs with the machine's own root
//   userns    the same as root of a user namespace: what a user can have
//   none      no RUN; files are still copied and images moved
//
// Entering changes the whole process (user_namespace.h), so it is done once,
// before there is a second thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cbuild::runtime {

enum class IsolationChoice { automatic, root, userns };

struct Isolation {
  enum class Rung { root, userns, none };
  Rung rung = Rung::none;
  // One line for the user: what was taken, and why nothing better. Empty for
  // root, which leaves nothing to say.
  std::string text;
};

// "auto, root or userns".
std::string isolation_names();
// One of those, or "" and docker's "default" for auto. nullopt for others.
std::optional<IsolationChoice> parse_isolation(std::string_view name);

// Takes the best rung there is, or the one asked for. Throws IsolationError
// where that one cannot be had.
Isolation enter_isolation(IsolationChoice choice);

}  // namespace cbuild::runtime
