// A CA certificate that one RUN trusts and no layer holds.
//
// It is appended to the image's own bundles for the time of the RUN and taken
// out afterwards; and a bundle of all is mounted, with the variables that point
// programs to it, for images without one and for what a package's scripts write
// anew meanwhile. Mounting over the image's bundle would make those scripts
// fail: they rename a new one onto it.
#pragma once

#include <time.h>

#include <string>
#include <vector>

#include "runtime/runner.h"

namespace cbuild::runtime {

class CaFiles {
 public:
  // `root`: the RUN's mounted root directory, which must outlive this object.
  // Does nothing where `certificates` (PEM) is empty.
  CaFiles(int root, const std::string& certificates);
  // Where an exception ends the RUN: its layer is thrown away.
  ~CaFiles() = default;

  // What to mount, with a target that no image has.
  std::vector<SecretMount> mounts() const;
  // SSL_CERT_FILE=... and others that `env` does not have.
  std::vector<std::string> variables(const std::vector<std::string>& env) const;

  // Takes the certificates out again. A bundle that is the old one then gets
  // its old time, so that it is no change.
  void remove();

 private:
  struct Bundle {
    std::string path;
    std::string before;
    timespec time;
  };

  int root_;
  std::string certificates_;
  std::vector<Bundle> bundles_;
};

}  // namespace cbuild::runtime
