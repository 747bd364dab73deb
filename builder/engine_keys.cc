// How the engine learns a step's key, and looks up what is known under it.
#include <algorithm>
#include <utility>

#include "builder/engine.h"
#include "builder/step_key.h"

namespace cbuild::builder {
namespace {

template <typename Visit>
void each_origin(const Step& step, Visit&& visit) {
  if (const auto* copy = std::get_if<CopyStep>(&step.node)) {
    if (!copy->spec.sources.empty()) visit(copy->origin);
  } else if (const auto* run = std::get_if<RunStep>(&step.node)) {
    for (const MountStep& mount : run->mounts)
      if (mount.has_origin) visit(mount.origin);
  }
}

bool takes_files(const Step& step) {
  bool any = false;
  each_origin(step, [&](const FileOrigin&) { any = true; });
  return any;
}

bool takes_context_files(const Step& step) {
  bool any = false;
  each_origin(step, [&](const FileOrigin& o) { any |= o.context != nullptr; });
  return any;
}

// The source that is missing, or else the whole instruction.
parser::Span place_of(const Step& step, const MissingSource& missing) {
  const auto* copy = std::get_if<CopyStep>(&step.node);
  if (copy == nullptr || copy->places.empty() || !missing.source)
    return step.span;
  std::size_t number = *missing.source;
  for (const auto& [remote, source] : copy->remotes)
    if (remote <= number) ++number;  // it was not looked for here
  return copy->places.at(number);
}

}  // namespace

bool is_detached(const Step& step) {
  const auto* copy = std::get_if<CopyStep>(&step.node);
  return copy != nullptr && copy->link;
}

std::vector<StepId> sources_of(const Step& step) {
  std::vector<StepId> sources;
  each_origin(step, [&](const FileOrigin& origin) {
    if (origin.step) sources.push_back(*origin.step);
  });
  return sources;
}

// Returns true once the step's key is known; else something was asked for that
// will bring the step back here.
bool Engine::find_key(StepId id) {
  const Step& step = plan_.steps[id];
  Node& node = nodes_[id];
  if (const auto* image = std::get_if<ImageStep>(&step.node)) {
    node.inputs = image_inputs(*image);
    node.key = store::key_of(node.inputs);
    StepResult result;
    std::vector<store::LayerId> layers;
    for (const store::Digest& diff_id : image->image.config.diff_ids)
      layers.push_back(environment_.store.layers.id_of(diff_id));
    result.layers = layers;
    result.cached = true;
    usable_.insert(layers.begin(), layers.end());
    node.result = std::move(result);
    changed(id);
    return true;
  }
  // All that the key needs is asked for at once, so that stages which do not
  // need each other run side by side.
  const std::vector<StepId> sources = sources_of(step);
  bool known = !step.parent || need_key(*step.parent, id);
  for (const StepId source : sources) known &= need_key(source, id);
  if (!known) {
    // What is below has to run first; a source that no record answers will
    // have to run as well.
    for (const StepId source : sources)
      if (nodes_[source].key) need_result(source, id);
    return false;
  }
  if (!takes_files(step)) {
    finish_key(id, {});
    return true;
  }
  if (!sources.empty()) {
    if (!node.declared_key && find_declared(id)) return true;
    if (!node.asked && cache_.reads() && may_be_declared(id)) {
      submit(id, [this, id, key = *node.declared_key] {
        cache_.find(key);
        const std::lock_guard lock(mutex_);
        nodes_[id].asked = true;
        nodes_[id].declared_key.reset();  // to be looked at once more
      });
      return false;
    }
    for (const StepId source : sources) known &= need_result(source, id);
    if (!known) return false;
  }
  start_keying(id);
  return false;
}

// With the keys of the stages that files come from, a step is named without
// looking at any file. Only where that misses do contents decide.
bool Engine::find_declared(StepId id) {
  const Step& step = plan_.steps[id];
  Node& node = nodes_[id];
  store::KeyInputs inputs;
  if (const auto* copy = std::get_if<CopyStep>(&step.node)) {
    inputs = copy_inputs(*copy);
    const store::KeyInputs declared = source_declaration(*copy);
    inputs.insert(inputs.end(), declared.begin(), declared.end());
  } else if (const auto* run = std::get_if<RunStep>(&step.node)) {
    inputs = run_inputs(*run, request_);
    for (const MountStep& mount : run->mounts)
      if (mount.has_origin)
        inputs.emplace_back("mount source " + mount.target, mount.mount.source);
  }
  for (const StepId source : sources_of(step))
    inputs.emplace_back("stage", nodes_[source].key->hex());
  if (step.parent && !is_detached(step))
    inputs.emplace_back("below", nodes_[*step.parent].key->hex());
  node.declared_key = store::key_of(inputs);
  if (!may_be_declared(id)) return false;
  const auto record = environment_.store.steps.find(*node.declared_key);
  if (!record || record->inputs.size() != 1 ||
      record->inputs.front().first != kContentKeyName)
    return false;
  const auto content_key = store::Digest::from_hex(record->inputs[0].second);
  set_key(id, content_key);
  if (!load_record(id)) look_up(id);
  changed(id);
  return true;
}

// Whether a record found under the declared key would be an answer.
bool Engine::may_be_declared(StepId id) const {
  const Step& step = plan_.steps[id];
  for (const StepId source : sources_of(step))
    if (nodes_[source].forced) return false;
  return !nodes_[id].forced && !takes_context_files(step);
}

// Asks the caches for the step's record; meanwhile the keys of what stands on
// it can be found.
void Engine::look_up(StepId id) {
  if (!cache_.reads()) return;
  const store::Digest key = *nodes_[id].record_key;
  const auto known = environment_.store.steps.find(key);
  if (known && usable(*known, plan_.steps[id])) return;
  submit(id, [this, id, key] {
    if (!cache_.find(key)) return;
    const std::lock_guard lock(mutex_);
    if (load_record(id)) changed(id);
  });
}

void Engine::start_keying(StepId id) {
  submit(id, [this, id] {
    store::KeyInputs content;
    Selected selected;
    try {
      content = content_inputs(plan_.steps[id], selected);
    } catch (const MissingSource& e) {
      const Step& step = plan_.steps[id];
      throw mistake(place_of(step, e), e.what()).within(step.span);
    }
    const std::lock_guard lock(mutex_);
    nodes_[id].selected = std::move(selected);
    finish_key(id, std::move(content));
  });
}

// In the order of the sources, then heredocs. What comes from the network says
// what it is, without being fetched.
store::KeyInputs Engine::copied_content(StepId id, const CopyStep& copy,
                                        Selected& selected) {
  CopySpec here = copy.spec;
  here.sources.clear();
  for (std::size_t i = 0; i < copy.spec.sources.size(); ++i)
    if (!copy.remotes.contains(i)) here.sources.push_back(copy.spec.sources[i]);
  store::KeyInputs inputs;
  if (!here.sources.empty() || !here.inline_files.empty())
    inputs = copy_key_inputs(here, *view_of(copy.origin), &selected.listings);
  for (const auto& [number, remote] : copy.remotes) {
    const auto start = std::chrono::steady_clock::now();
    bool fetched = false;
    std::string identity = remotes_.identity(
        remote, [&, tell = fetch_progress(reporter_, id, remote)](auto... at) {
          fetched = true;
          if (tell) tell(at...);
        });
    if (fetched) selected.fetching += std::chrono::steady_clock::now() - start;
    if (copy.spec.unpack.value_or(false)) identity += " unpacked";
    inputs.emplace(inputs.begin() + static_cast<std::ptrdiff_t>(number),
                   "remote", std::move(identity));
  }
  return inputs;
}

store::KeyInputs Engine::content_inputs(const Step& step, Selected& selected) {
  store::KeyInputs inputs;
  // Numbered: how a source is spelled does not matter, only what is in it.
  const auto add = [&](const std::string& prefix, store::KeyInputs files) {
    std::size_t number = 0;
    for (auto& [name, value] : files)
      inputs.emplace_back(prefix + "files " + std::to_string(++number),
                          std::move(value));
  };
  if (const auto* copy = std::get_if<CopyStep>(&step.node))
    add("", copied_content(step.id, *copy, selected));
  if (const auto* run = std::get_if<RunStep>(&step.node))
    for (const MountStep& mount : run->mounts)
      if (mount.has_origin)
        add("mount " + mount.target + " ",
            copy_key_inputs(mount_selection(mount), *view_of(mount.origin),
                            &selected.listings));
  return inputs;
}

std::shared_ptr<const FileView> Engine::view_of(const FileOrigin& origin) {
  if (origin.context) return origin.context;
  std::vector<store::LayerId> layers;
  if (origin.step) {
    const std::lock_guard lock(mutex_);
    layers = nodes_[*origin.step].result->layers.ids();
  }
  std::vector<std::shared_ptr<const store::LayerIndex>> indexes;
  executor_.prepare_indexes(layers);
  for (const store::LayerId& id : layers) {
    try {
      indexes.push_back(environment_.store.layers.index(id));
    } catch (const store::DamagedBlob&) {
      executor_.prepare_indexes({id});  // it is gone now, and is fetched again
      indexes.push_back(environment_.store.layers.index(id));
    }
  }
  return std::make_shared<FileView>(FileView::of_layers(
      std::make_shared<store::MergedIndex>(std::move(indexes))));
}

// Called with the mutex held.
void Engine::finish_key(StepId id, store::KeyInputs content) {
  const Step& step = plan_.steps[id];
  Node& node = nodes_[id];
  if (const auto* run = std::get_if<RunStep>(&step.node))
    node.inputs = run_inputs(*run, request_);
  else if (const auto* copy = std::get_if<CopyStep>(&step.node))
    node.inputs = copy_inputs(*copy);
  else if (const auto* workdir = std::get_if<WorkdirStep>(&step.node))
    node.inputs = workdir_inputs(*workdir, plan_.source_date_epoch);
  node.inputs.insert(node.inputs.end(), content.begin(), content.end());
  if (!is_detached(step))
    node.inputs.emplace_back(
        "below", step.parent ? nodes_[*step.parent].key->hex() : "scratch");
  set_key(id, store::key_of(node.inputs));
  if (!node.forced && !load_record(id)) look_up(id);
  changed(id);
}

// What a linked copy makes depends on nothing below it, but what stands on top
// of it does.
void Engine::set_key(StepId id, const store::Digest& record_key) {
  const Step& step = plan_.steps[id];
  Node& node = nodes_[id];
  node.record_key = record_key;
  node.key = record_key;
  if (is_detached(step) && step.parent)
    node.key = store::key_of({{"link", record_key.hex()},
                              {"below", nodes_[*step.parent].key->hex()}});
}

// A record counts only if every layer it names can be had: a form of it is
// here, it is a base image's, or a cache has it.
bool Engine::usable(const store::StepRecord& record, const Step& step) {
  store::Store& store = environment_.store;
  // Those below were looked at already, mostly.
  store::Chain below;
  if (step.parent && nodes_[*step.parent].result)
    below = nodes_[*step.parent].result->layers;
  const std::vector<store::LayerId> own = record.layers.beyond(below);
  return std::all_of(own.begin(), own.end(), [&](const auto& id) {
    if (usable_.contains(id)) return true;
    if (!store.layers.exists(id)) return false;
    const auto blob = store.layers.recorded_blob(id);
    if (blob && store.blobs.size(blob->digest)) packed_.insert(id);
    // Without a tarball it was made here, and its tree stays.
    const bool here = !blob || packed_.contains(id) || cache_.knows(id) ||
                      store.layers.has_tree(id);
    if (here) usable_.insert(id);
    return here;
  });
}

bool Engine::load_record(StepId id) {
  auto record = environment_.store.steps.find(*nodes_[id].record_key);
  if (!record) return false;
  const Step& step = plan_.steps[id];
  if (!usable(*record, step)) return false;
  StepResult result;
  if (is_detached(step) && step.parent) {
    // Its own layer is known; the chain below it may not be yet.
    if (!nodes_[*step.parent].result) return false;
    result.layers = nodes_[*step.parent].result->layers;
  }
  result.layers = result.layers.with(record->layers);
  if (nodes_[id].inputs.empty()) nodes_[id].inputs = std::move(record->inputs);
  result.created = record->created;
  result.created_nanoseconds = record->created_nanoseconds;
  result.cached = true;
  nodes_[id].result = std::move(result);
  reporter_.cached(id);
  return true;
}

}  // namespace cbuild::builder
