// What the parts of diagnosis.h share, and its findings about the file system
// of the store. Private to diagnosis*.cc and findings*.cc.
#pragma once

#include <functional>
#include <string>

#include "runtime/diagnosis.h"

namespace cbuild::runtime {

constexpr int kNoRung = 254;  // as an errno: none has that number

constexpr const char* kContainerRemedy =
    "docker run --security-opt seccomp=unconfined --security-opt "
    "apparmor=unconfined; Kubernetes: securityContext: {seccompProfile: {type: "
    "Unconfined}, appArmorProfile: {type: Unconfined}}";

// errno_apart() as a build would be, after the isolation that it takes; kNoRung
// where there is none.
int ask_inside(const std::function<int()>& body);

// `code` in words, without and with who may have said no.
std::string reason(int code);
std::string denied_by(int code);

// `directory`: where a store would be. `chroot`: it is the rung that RUN gets.
Finding overlay_finding(const std::string& directory, bool chroot);
Finding fuse_finding(const std::string& directory, bool chroot);
Finding mknod_finding(const std::string& directory);
Finding xattr_finding(const std::string& directory);

}  // namespace cbuild::runtime
