// What the kernel refuses to put on disk, kept beside the file.
//
// A process without all privileges cannot give a file to an id that its user
// namespace lacks, nor make devices, nor always set file capabilities. The file
// then stays its own, a device is an empty file, and these attributes say what
// it should be:
//
//   user.cbuild.owner        "1000:1000@0:0": who should own it, and who did
//                            then; a RUN that chowned it since has the last
//                            word
//   user.cbuild.device       "c 1 3" or "b 8 0"
//   user.cbuild.capability   the value of security.capability
//
// overlayfs copies them along when a RUN changes the file, and scan_tree() puts
// them into the layer's index, which is the truth. Only files and directories
// can carry them; what else could not be had is returned, for the caller to put
// into the index (apply_held_back). With all privileges a refusal is an error.
//
// Any thread. Throws SystemError, with `subject` in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "store/layer_index.h"

namespace cbuild::store {

struct HeldBack {
  struct Owner {
    std::uint32_t uid = 0, gid = 0;            // in the image
    std::uint32_t disk_uid = 0, disk_gid = 0;  // as stat(2) had it
    bool operator==(const Owner&) const = default;
  };
  struct Device {
    EntryType type = EntryType::character_device;
    std::uint32_t major = 0, minor = 0;
    bool operator==(const Device&) const = default;
  };
  std::optional<Owner> owner;
  std::optional<Device> device;
  std::optional<std::string> capability;

  bool operator==(const HeldBack&) const = default;
};

// By path in the layer, as in an index.
using HeldBackPaths = std::map<std::string, HeldBack>;

// Each of these does it, or holds it back on disk, or else returns false.

// chown of an open file or directory; of `name` in `dir`, which may be a link.
bool give(int fd, std::uint32_t uid, std::uint32_t gid,
          const std::string& subject);
bool give_at(int dir, const std::string& name, std::uint32_t uid,
             std::uint32_t gid, const std::string& subject);
// mknod of what is not there yet, with mode 0600.
bool make_device_at(int dir, const std::string& name,
                    const HeldBack::Device& device, const std::string& subject);
// Of an open file.
bool set_capability(int fd, const std::string& value,
                    const std::string& subject);

// Whether files may have something held back, so that a scan must look.
bool may_hold_back();

// Puts `held` into the entry.
void apply_held_back(const HeldBack& held, IndexEntry& entry);
// What `held` has of the entry's path, if anything.
void apply_held_back(const HeldBackPaths& held, IndexEntry& entry);

}  // namespace cbuild::store
