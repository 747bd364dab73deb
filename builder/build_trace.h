// What the last build of a Dockerfile did, step by step: `why` prints it, and
// the next build finds in it what its steps were made of before.
//
//   <root>/contexts/<hash>.build    the trace
//   <root>/contexts/<hash>.files    a FileListing, by the digest of its files
//
// A trace that does not verify reads as absent. It is written only where it
// says something else than the one before: a build that is cached throughout,
// twice, writes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/file_listing.h"
#include "store/step_cache.h"

namespace cbuild::builder {

struct TracedStep {
  StepReport report;
  std::string stage;
  // Of the last time it had a result; empty where it never had.
  store::KeyInputs inputs;
};

// Which build it is: the same context, Dockerfile, target and platform.
struct TraceName {
  std::string context;     // absolute, or as given where it is no directory
  std::string dockerfile;  // absolute; empty for one from standard input
  std::string target;
  std::string platform;
};
TraceName trace_name(const BuildRequest& request,
                     const std::string& dockerfile_path);

class Traces {
 public:
  explicit Traces(const std::string& root) : root_(root) {}

  std::optional<std::vector<TracedStep>> load(const TraceName& name) const;
  void save(const TraceName& name, const std::vector<TracedStep>& steps);
  // When it was written, seconds since the epoch; 0: never.
  std::int64_t time(const TraceName& name) const;

  std::optional<FileListing> listing(const std::string& digest) const;
  void save_listing(const std::string& digest, const FileListing& listing);

 private:
  std::string path(const TraceName& name) const;
  std::string listing_path(const std::string& digest) const;

  std::string root_;
};

}  // namespace cbuild::builder
