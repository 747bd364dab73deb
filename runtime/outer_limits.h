// What a container around us puts on a process whatever its privileges. Any
// thread.
#pragma once

#include <string>

namespace cbuild::runtime {

bool has_seccomp_filter();

// "" where no AppArmor profile confines us.
std::string apparmor_profile();

}  // namespace cbuild::runtime
