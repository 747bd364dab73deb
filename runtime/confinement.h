// What keeps a RUN of the chroot rung from what is around it, beyond chroot(2)
// and fewer capabilities: Landlock (landlock.h) and the seccomp filter that
// RUNs have elsewhere too.
//
// A process may take either upon itself with CAP_SYS_ADMIN, or once it has
// no_new_privs. That is never set here: su, sudo and ping would be of no use
// in a RUN. Where cbuild was started with it, they are of none anyway.
#pragma once

#include <string>

namespace cbuild::runtime {

struct Confinement {
  int landlock = 0;      // version in force; 0: none
  bool seccomp = false;  // a filter of ours
  // What is not in force and why, and what would allow it; "" where all is.
  std::string lacking;
  std::string remedy;
};

// Tried in a process of its own. Any thread.
Confinement find_confinement();

// For the user, as the end of a sentence about the rung.
std::string describe(const Confinement& confinement);

// Whether a device whose node anybody makes in `directory` can be opened: no
// control group refuses it. False where none can be made.
bool can_open_devices(const std::string& directory);

}  // namespace cbuild::runtime
