// Step records: what a step with a certain key made.
//
//   <root>/steps/<hex of key>   JSON
//
// The record holds the named inputs the key was computed from, so that a miss
// can be explained. A record that does not parse, or whose own digest does not
// verify, counts as absent and is dropped; so does one from before a power cut
// that no sync came after (store/durability.h), since the layers it names may
// be torn. Any number of processes may share. The file's mtime is when the
// record was last found, exact to an hour.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/chain.h"
#include "store/digest.h"
#include "store/durability.h"
#include "store/layer_store.h"
#include "store/lease.h"
#include "store/staging.h"

namespace cbuild::store {

// Named inputs in order: ("command", "make"), ("env PATH", "/bin"), ...
using KeyInputs = std::vector<std::pair<std::string, std::string>>;

// SHA-256 over the length-prefixed names and values.
Digest key_of(const KeyInputs& inputs);

struct StepRecord {
  Digest key;
  KeyInputs inputs;
  std::string title;         // the instruction as written
  Chain layers;              // the whole chain after the step
  std::int64_t created = 0;  // seconds since the epoch
  std::int64_t created_nanoseconds = 0;
  std::int64_t milliseconds = 0;  // how long it ran
};

class StepCache {
 public:
  StepCache(const std::string& root,
            std::shared_ptr<const Durability> durability);

  // A lease of this process keeps what it finds, layers too.
  std::optional<StepRecord> find(const Digest& key) const;
  // Everything the record names must be in place: its birth is now.
  void put(const StepRecord& record);
  void remove(const Digest& key);
  std::vector<StepRecord> list() const;
  // Whether there is a record that was last used before then, in seconds since
  // the epoch.
  bool any_unused_since(std::int64_t seconds) const;
  // When the record was last put or found, in nanoseconds since the epoch; of
  // one that is found again and again, exact to an hour. 0 where it is absent.
  std::int64_t last_used(const Digest& key) const;

 private:
  std::optional<StepRecord> read(const std::string& path) const;

  std::string steps_;  // <root>/steps
  std::shared_ptr<const Durability> durability_;
  std::shared_ptr<Staging> staging_;
  std::shared_ptr<Leases> leases_;
};

}  // namespace cbuild::store
