#include "builder/engine.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/cgroups.h"
#include "base/text.h"
#include "builder/claim.h"
#include "builder/stand_back.h"

namespace cbuild::builder {
namespace {

unsigned job_count(unsigned asked) {
  // RUN steps wait for the network and the disk as much as for a core.
  return asked != 0 ? asked : std::max(4u, usable_cpus());
}

}  // namespace

Engine::Engine(const Plan& plan, const BuildRequest& request,
               BuildEnvironment& environment, RemoteSources& remotes,
               RemoteCache& cache, Reporter& reporter,
               std::function<void(const store::LayerId&)> on_layer)
    : plan_(plan),
      request_(request),
      environment_(environment),
      remotes_(remotes),
      cache_(cache),
      reporter_(reporter),
      on_layer_(std::move(on_layer)),
      bases_(environment, request.pull),
      executor_(plan, request, environment, bases_, remotes, cache, reporter,
                stop_),
      nodes_(plan.steps.size()),
      workers_(job_count(request.jobs)) {
  for (auto id = plan.top; id; id = plan.steps[*id].parent)
    on_the_way_.insert(*id);
  // What stands on a step that --no-cache runs again runs again too; a step
  // that takes files from it is kept where they are the same. WORKDIR itself is
  // not touched, as in BuildKit.
  for (const Step& step : plan.steps) {
    const bool own = step.no_cache &&
                     !std::holds_alternative<WorkdirStep>(step.node) &&
                     !std::holds_alternative<ImageStep>(step.node);
    nodes_[step.id].forced = own || (step.parent && !is_detached(step) &&
                                     nodes_[*step.parent].forced);
  }
}

void Engine::run() {
  if (!plan_.top) return;
  std::unique_lock lock(mutex_);
  nodes_[*plan_.top].result_wanted = true;
  enqueue(*plan_.top);
  for (;;) {
    advance_queued();
    if (running_ == 0 && (failure_ || queue_.empty())) break;
    wake_.wait_for(lock, std::chrono::milliseconds(20));
    if (environment_.stop && *environment_.stop) stop_ = true;
  }
  executor_.end();
  lock.unlock();
  recorder_.wait();
  lock.lock();
  if (failure_) std::rethrow_exception(failure_);
  for (const Step& step : plan_.steps)
    if (std::holds_alternative<ImageStep>(step.node) && nodes_[step.id].key)
      reporter_.cached(step.id);
}

// Called with the mutex held.
void Engine::advance_queued() {
  while (!queue_.empty() && !failure_) {
    const StepId id = queue_.front();
    queue_.pop_front();
    nodes_[id].queued = false;
    try {
      advance(id);
    } catch (...) {
      fail(id, std::current_exception());
    }
  }
}

// Takes the step as far as it can go now: key, record, then execution.
void Engine::advance(StepId id) {
  Node& node = nodes_[id];
  if (node.busy > 0 || (node.result && node.key)) return;
  if (!node.key && !find_key(id)) return;
  if (!node.result_wanted || node.result) return;
  if (shares_result(id)) return;
  const Step& step = plan_.steps[id];
  bool ready = true;
  if (step.parent) ready &= need_result(*step.parent, id);
  for (const StepId source : sources_of(step)) ready &= need_result(source, id);
  if (ready) start_executing(id);
}

// Two stages may hold the same step: the first one runs it for both.
bool Engine::shares_result(StepId id) {
  const auto [first, is_first] =
      executing_.try_emplace(nodes_[id].key->hex(), id);
  if (is_first || first->second == id) return false;
  if (need_result(first->second, id)) {
    nodes_[id].result = nodes_[first->second].result;
    reporter_.cached(id);
    changed(id);
  }
  return true;
}

bool Engine::need_key(StepId of, StepId for_step) {
  Node& node = nodes_[of];
  if (node.key) return true;
  node.waiting.insert(for_step);
  enqueue(of);
  return false;
}

bool Engine::need_result(StepId of, StepId for_step) {
  Node& node = nodes_[of];
  if (node.result) return true;
  node.result_wanted = true;
  node.waiting.insert(for_step);
  enqueue(of);
  return false;
}

void Engine::changed(StepId id) {
  for (const StepId waiting : std::exchange(nodes_[id].waiting, {}))
    enqueue(waiting);
}

void Engine::enqueue(StepId id) {
  if (std::exchange(nodes_[id].queued, true)) return;
  queue_.push_back(id);
}

std::vector<store::LayerId> Engine::layers_below(const Step& step) const {
  return step.parent ? nodes_[*step.parent].result->layers.ids()
                     : std::vector<store::LayerId>();
}

void Engine::start_executing(StepId id) {
  const Step& step = plan_.steps[id];
  if (is_detached(step) && !nodes_[id].forced && load_record(id)) {
    changed(id);
    return;
  }
  if (must_be_cached(step)) {
    fail(id, std::make_exception_ptr(
                 UnexpectedMiss("--expect-cached: not cached: " + step.name)));
    return;
  }
  StepInputs inputs;
  inputs.below = layers_below(step);
  for (auto below = step.parent; below; below = plan_.steps[*below].parent)
    if (std::holds_alternative<ImageStep>(plan_.steps[*below].node))
      inputs.base = below;
  inputs.layers_of = [this](StepId source) {
    const std::lock_guard lock(mutex_);
    return nodes_[source].result->layers.ids();
  };
  inputs.view_of = [this](const FileOrigin& origin) { return view_of(origin); };
  if (nodes_[id].forced) {
    submit(id, [this, id, inputs = std::move(inputs)] {
      execute(id, inputs, nullptr);
    });
    return;
  }
  submit(id, [this, id, key = nodes_[id].record_key->hex(),
              inputs = std::move(inputs)] {
    // Equal steps of several builds: one runs it, the others wait for its
    // record.
    const auto claim = std::make_shared<const store::Claim>(
        wait_for_claim(environment_.store, "step-" + key, stop_, [&] {
          reporter_.message(plan_.steps[id].name +
                            ": waiting for another build that runs it");
        }));
    {
      const std::lock_guard lock(mutex_);
      if (load_record(id)) return changed(id);
    }
    execute(id, inputs, claim);
  });
}

void Engine::execute(StepId id, const StepInputs& inputs,
                     std::shared_ptr<const store::Claim> claim) {
  reporter_.started(id);
  // What was fetched for the key counts too; it may be long ago.
  const auto fetching = [&] {
    const std::lock_guard lock(mutex_);
    return nodes_[id].selected.fetching;
  }();
  const auto start = std::chrono::steady_clock::now();
  store::LayerId layer;
  try {
    layer = executor_.execute(plan_.steps[id], inputs);
  } catch (const Error& e) {
    reporter_.failed(id, e.what());
    throw;
  }
  const auto wall = std::chrono::steady_clock::now() - start + fetching;
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  StepResult result;
  result.layers = store::Chain(inputs.below).with({layer});
  result.created = plan_.source_date_epoch.value_or(now.tv_sec);
  result.created_nanoseconds = plan_.source_date_epoch ? 0 : now.tv_nsec;
  reporter_.executed(id, wall);
  if (on_the_way_.count(id) > 0) on_layer_(layer);
  const std::lock_guard lock(mutex_);
  ++executed_;
  nodes_[id].executed = true;
  nodes_[id].result = std::move(result);
  record(id, wall, std::move(claim));
  changed(id);
}

// Called with the mutex held. Written beside the next step, which needs no
// record; `claim` is given back when it is there.
void Engine::record(StepId id, std::chrono::nanoseconds wall,
                    std::shared_ptr<const store::Claim> claim) {
  const Step& step = plan_.steps[id];
  const Node& node = nodes_[id];
  store::StepRecord record{.key = *node.record_key};
  record.inputs = node.inputs;
  record.title = step.name;
  record.layers = node.result->layers;
  if (is_detached(step)) record.layers = {node.result->layers.top()};
  record.created = node.result->created;
  record.created_nanoseconds = node.result->created_nanoseconds;
  record.milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
  std::vector<store::StepRecord> records;
  if (node.declared_key) {
    store::StepRecord alias{.key = *node.declared_key};
    alias.inputs = {{kContentKeyName, node.record_key->hex()}};
    alias.title = step.name;
    alias.layers = record.layers;
    records.push_back(std::move(alias));
  }
  // Before what leads to it.
  records.insert(records.begin(), std::move(record));
  recorder_.submit(
      [this, id, records = std::move(records), claim = std::move(claim)] {
        stand_back();
        try {
          for (const store::StepRecord& made : records)
            environment_.store.steps.put(made);
        } catch (...) {
          const std::lock_guard lock(mutex_);
          fail(id, std::current_exception());
        }
      });
}

void Engine::submit(StepId id, std::function<void()> job) {
  workers_.submit([this, id, job = std::move(job)] {
    std::exception_ptr failure;
    try {
      if (stop_) throw Interrupted();
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    --nodes_[id].busy;
    --running_;
    if (failure) fail(id, failure);
    enqueue(id);
    // Here and not on the scheduling thread: what comes next starts at once, on
    // a thread that runs already.
    advance_queued();
    if (running_ == 0) wake_.notify_one();
  });
  // The mutex is held: the job has not ended yet. Where it could not be
  // submitted, nothing runs.
  ++nodes_[id].busy;
  ++running_;
}

// The first failure counts; what it interrupts fails too, later.
void Engine::fail(StepId id, std::exception_ptr failure) {
  if (failure_) return;
  failure_ = std::move(failure);
  failed_ = id;
  stop_ = true;
}

bool Engine::must_be_cached(const Step& step) const {
  if (!request_.expect_cached) return false;
  const std::vector<std::string>& stages = *request_.expect_cached;
  return stages.empty() ||
         std::any_of(stages.begin(), stages.end(), [&](const std::string& s) {
           return equals_ignore_case(s, step.stage);
         });
}

StepReport::Outcome Engine::outcome(StepId id) const {
  using Outcome = StepReport::Outcome;
  const Node& node = nodes_[id];
  if (node.executed) return Outcome::rebuilt;
  if (node.result && node.key) return Outcome::cached;
  if (failed_ == id) return Outcome::failed;
  return failed_ ? Outcome::not_reached : Outcome::skipped;
}

StepResult Engine::result(StepId id) const {
  if (nodes_[id].result) return *nodes_[id].result;
  StepResult share;
  for (StepId above = id + 1; above < nodes_.size(); ++above) {
    // The nearest step above with a result holds this one's layers as well.
    if (plan_.steps[above].parent != std::optional<StepId>(id)) continue;
    if (!nodes_[above].key) continue;
    share = result(above);
    share.layers = share.layers.without_top();
    break;
  }
  if (nodes_[id].record_key)
    if (const auto record =
            environment_.store.steps.find(*nodes_[id].record_key)) {
      share.created = record->created;
      share.created_nanoseconds = record->created_nanoseconds;
    }
  share.cached = true;
  return share;
}

void Engine::fetch_missing(const std::vector<store::LayerId>& layers) {
  std::vector<store::LayerId> missing;
  for (const store::LayerId& id : layers) {
    if (packed_.contains(id)) continue;
    const auto blob = environment_.store.layers.recorded_blob(id);
    if (blob && !environment_.store.blobs.size(blob->digest))
      missing.push_back(id);
  }
  if (!missing.empty()) executor_.fetch(missing);
}

std::vector<store::LayerId> Engine::layers(StepId id) const {
  return nodes_[id].result ? nodes_[id].result->layers.ids()
                           : std::vector<store::LayerId>();
}

std::size_t Engine::cached() const {
  return static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(),
      [](const Node& node) { return node.result && node.result->cached; }));
}

}  // namespace cbuild::builder
