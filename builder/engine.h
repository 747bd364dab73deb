// The engine: decides step by step what is cached and runs what is not.
//
// Nothing is done that the target does not ask for. A step's key is computed
// from the plan, the context and the keys below it; only where that finds no
// record are the results below it wanted, and so on downwards. So a cached
// build reads its records and nothing else, and a base image is fetched only
// under a step that executes.
//
// engine.cc schedules and executes; engine_keys.cc finds keys and records.
//
// Keys that need file contents and steps run on a pool of `jobs` threads;
// whoever ends one schedules what it made possible, under one mutex. The first
// failure stops everything else.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/workers.h"
#include "builder/base_images.h"
#include "builder/build.h"
#include "builder/contexts.h"
#include "builder/executor.h"
#include "builder/plan.h"
#include "builder/remote_cache.h"
#include "builder/remote_sources.h"
#include "builder/reporter.h"

namespace cbuild::builder {

// What a step left behind.
struct StepResult {
  store::Chain layers;       // the whole chain
  std::int64_t created = 0;  // seconds since the epoch
  std::int64_t created_nanoseconds = 0;
  bool cached = false;
};

class Engine {
 public:
  // `on_layer` is told of each layer on the way to the plan's top as soon as it
  // is made, on any thread.
  Engine(const Plan& plan, const BuildRequest& request,
         BuildEnvironment& environment, RemoteSources& remotes,
         RemoteCache& cache, Reporter& reporter,
         std::function<void(const store::LayerId&)> on_layer);

  // Runs what the plan's top needs. Throws what the first failing step threw.
  void run();

  // Valid after run(): the result of a step on the way from the base to the
  // top. A step below a cached one may have none of its own: it then has its
  // share of the chain and the time of the step above.
  StepResult result(StepId id) const;

  std::size_t executed() const { return executed_; }

  // Valid after run(), whether it threw or not.
  StepReport::Outcome outcome(StepId id) const;
  bool forced(StepId id) const { return nodes_[id].forced; }
  // What its key was made of; empty where it has none.
  const store::KeyInputs& inputs(StepId id) const { return nodes_[id].inputs; }
  // The files it took, by their digest; only where they were looked at.
  const FileListings& listings(StepId id) const {
    return nodes_[id].selected.listings;
  }
  // The names of its record, and of the one that leads to it by declaration.
  std::optional<store::Digest> record_key(StepId id) const {
    return nodes_[id].record_key;
  }
  std::optional<store::Digest> declared_key(StepId id) const {
    return nodes_[id].declared_key;
  }
  // Its layers where it has a result of its own; of an image always.
  std::vector<store::LayerId> layers(StepId id) const;
  bool on_the_way(StepId id) const { return on_the_way_.contains(id); }
  // The step whose failure run() threw.
  std::optional<StepId> failed() const { return failed_; }
  std::size_t cached() const;

  // Makes the tarballs of base layers be in the store.
  void fetch_missing(const std::vector<store::LayerId>& layers);

 private:
  // What was learnt of a step's files for its key.
  struct Selected {
    FileListings listings;
    std::chrono::nanoseconds fetching{};  // it took to fetch what it adds
  };

  struct Node {
    std::optional<store::Digest> key;         // of the whole file system
    std::optional<store::Digest> record_key;  // of the step's own record
    store::KeyInputs inputs;
    std::optional<store::Digest> declared_key;
    std::optional<StepResult> result;
    Selected selected;
    bool executed = false;
    bool result_wanted = false;
    bool forced = false;  // to be executed whatever records say
    bool asked = false;   // the caches, for its declared key
    unsigned busy = 0;    // jobs for it
    // In the queue, at most once: a step asked for by many must not multiply.
    bool queued = false;
    std::set<StepId> waiting;  // to be looked at again when this changes
  };

  void advance_queued();
  void advance(StepId id);
  bool find_key(StepId id);
  bool need_key(StepId of, StepId for_step);
  bool need_result(StepId of, StepId for_step);
  bool find_declared(StepId id);
  bool may_be_declared(StepId id) const;
  void look_up(StepId id);
  bool usable(const store::StepRecord& record, const Step& step);
  bool shares_result(StepId id);
  void start_keying(StepId id);
  void start_executing(StepId id);
  // `claim`: the step's, or empty.
  void execute(StepId id, const StepInputs& inputs,
               std::shared_ptr<const store::Claim> claim);
  store::KeyInputs content_inputs(const Step& step, Selected& selected);
  store::KeyInputs copied_content(StepId id, const CopyStep& copy,
                                  Selected& selected);
  bool must_be_cached(const Step& step) const;
  std::shared_ptr<const FileView> view_of(const FileOrigin& origin);
  void finish_key(StepId id, store::KeyInputs content);
  void set_key(StepId id, const store::Digest& record_key);
  bool load_record(StepId id);
  void record(StepId id, std::chrono::nanoseconds wall,
              std::shared_ptr<const store::Claim> claim);
  std::vector<store::LayerId> layers_below(const Step& step) const;
  void changed(StepId id);
  void enqueue(StepId id);
  void submit(StepId id, std::function<void()> job);
  void fail(StepId id, std::exception_ptr failure);

  const Plan& plan_;
  const BuildRequest& request_;
  BuildEnvironment& environment_;
  RemoteSources& remotes_;
  RemoteCache& cache_;
  Reporter& reporter_;
  std::function<void(const store::LayerId&)> on_layer_;
  std::set<StepId> on_the_way_;  // from the base to the top
  std::atomic<bool> stop_ = false;
  BaseImages bases_;
  Executor executor_;

  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::vector<Node> nodes_;
  std::deque<StepId> queue_;
  std::set<store::LayerId> usable_;  // can be had: a form is here, or its base
  std::set<store::LayerId> packed_;  // of these the tarball is here
  std::map<std::string, StepId> executing_;  // by key: equal steps run once
  std::size_t running_ = 0;
  std::size_t executed_ = 0;
  std::exception_ptr failure_;
  std::optional<StepId> failed_;

  Workers recorder_{1};
  Workers workers_;  // last: its threads end before what they use
};

// Stages (by step) whose files a step takes.
std::vector<StepId> sources_of(const Step& step);

// A step whose result is content, not a chain, so that what is below it does
// not count for its key: COPY --link.
bool is_detached(const Step& step);

// The one input of a record that only leads to another: the key over contents
// of a step that was found by its declaration.
inline constexpr const char* kContentKeyName = "content key";

}  // namespace cbuild::builder
