// RUN --device: devices of the host by CDI name (Container Device Interface).
//
// A name is vendor/class=device, vendor/class=*, vendor/class (its first
// device), or a class that a spec's annotation gives. Specs are the *.json
// files of some directories; of two that declare one device the one in the
// later directory counts. Source: cncf-tags/container-device-interface SPEC.md
// 0.8.0, moby/buildkit docs/cdi.md.
#pragma once

#include <string>
#include <vector>

#include "runtime/runner.h"

namespace cbuild::builder {

// What one device changes in a container.
struct DeviceEdits {
  struct HostPath {
    std::string host;
    std::string target;
    bool read_only = false;
  };
  std::string name;  // vendor/class=device
  std::vector<std::string> env;
  std::vector<runtime::DeviceNode> nodes;
  std::vector<HostPath> mounts;
  bool auto_allowed = false;  // by annotation: needs no --allow
};

// Every device that `name` means; empty where there is none. Throws Error
// naming the file where a spec cannot be read or asks for what is not supported
// (hooks, devices outside /dev).
std::vector<DeviceEdits> find_devices(
    const std::vector<std::string>& directories, const std::string& name);

}  // namespace cbuild::builder
