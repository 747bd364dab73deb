// Where the time of a build went, for its end.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "builder/progress.h"

namespace cbuild::cli {

class StepTimes {
 public:
  void take(const builder::Event& event);

  // The slowest steps that ran, slowest first, a line of `columns` each; nothing
  // where fewer than two ran. With line ends.
  std::string table(std::size_t columns = 80) const;

 private:
  struct Run {
    builder::StepNumber step;
    std::chrono::nanoseconds wall;
  };
  std::vector<std::string> names_;
  std::vector<Run> runs_;
};

}  // namespace cbuild::cli
