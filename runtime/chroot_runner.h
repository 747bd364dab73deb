// Runs a command where no namespace and no mount is allowed, as in an ordinary
// container: chroot(2) to a copy of the layers.
//
// The command has the network, the process numbers, the System V IPC and the
// devices of the container around it. What keeps it from more than that is
// in confinement.h; where that cannot be had, honest builds are kept apart
// and hostile ones are not. /proc and /sys are empty. Mounts are copies that
// are put in their places (placements.h) and taken out; a secret as a file
// is refused, as it would be on a disk. So are devices, --network=none and
// --security=insecure.
//
#pragma once

#include <memory>
#include <string>

#include "runtime/runner.h"

namespace cbuild::runtime {

// What is missing for it, or "".
std::string missing_for_chroot();

class ChrootRunner final : public Runner {
 public:
  explicit ChrootRunner(RunnerOptions options);
  ~ChrootRunner() override;
  ExitStatus run(const RunSpec& spec, const OutputSink& output,
                 const std::atomic<bool>* stop) override;
  ViewKind view() override { return ViewKind::copy; }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cbuild::runtime
