// Whether this machine can run programs of another architecture.
//
// The kernel starts an emulator for them where one is registered with
// binfmt_misc (Documentation/admin-guide/binfmt-misc.rst).
#pragma once

#include <string>
#include <string_view>

namespace cbuild::runtime {

// "" where programs for `architecture` (OCI's name: arm64) can run here; else
// why not, and what would help. Architectures nobody knows are left to exec.
std::string missing_emulator(const std::string& architecture);

// Whether a handler, in the words of its file in /proc/sys/fs/binfmt_misc, is
// enabled and takes programs for `architecture`.
bool handles(std::string_view handler, const std::string& architecture);

// Whether that handler's program is opened by the kernel when it is registered
// (flag F): only then does it work in a container, which has other files.
bool works_in_containers(std::string_view handler);

}  // namespace cbuild::runtime
