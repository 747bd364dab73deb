// What this place allows: each thing that a build wants is tried for real, in a
// child process that takes its consequences with it (`cbuild doctor`).
#pragma once

#include <string>
#include <vector>

namespace cbuild::runtime {

struct Finding {
  std::string name;  // stable: "user-namespace", "overlay", ...
  bool allowed = false;
  std::string detail;  // what was found, or what refuses it
  std::string remedy;  // what would allow it, as a line to paste; may be empty
};

struct Diagnosis {
  std::string rung;  // what a build gets: name_of(Isolation::Rung)
  bool can_run = false;
  std::string text;  // the same for people
  std::vector<Finding> findings;
};

// `directory`: a place on the store's file system where files may be made and
// removed. The process must have one thread.
Diagnosis diagnose(const std::string& directory);

}  // namespace cbuild::runtime
