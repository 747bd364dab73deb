// Turns the result of a build into an image: tarballs, config, manifest, names.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/workers.h"
#include "builder/build.h"
#include "builder/engine.h"
#include "builder/plan.h"

namespace cbuild::builder {

// Makes layers' tarballs in the background while later steps run.
class Tarballs {
 public:
  // `on_made` is told of each tarball that start() made, on any thread.
  Tarballs(store::Store& store, const store::TarballOptions& options,
           std::function<void(const store::LayerBlob&)> on_made = {});

  void start(const store::LayerId& layer);
  // Those of the layers, in order; waits for what is under way.
  std::vector<store::LayerBlob> collect(
      const std::vector<store::LayerId>& layers);
  const store::TarballOptions& options() const { return options_; }
  // Bytes of tarballs that start() made.
  std::uint64_t written() const { return written_; }

 private:
  store::Store& store_;
  store::TarballOptions options_;
  std::function<void(const store::LayerBlob&)> on_made_;
  std::atomic<std::uint64_t> written_ = 0;
  Workers workers_;
};

struct Published {
  store::Descriptor manifest;
  store::Digest config;
  bool changed = false;  // something new was stored
};

// Stores config and manifest, syncs the store if anything in it is new, and
// points the request's tags at the image.
Published publish(const Plan& plan, Engine& engine, Tarballs& tarballs,
                  const BuildRequest& request, store::Store& store);

// Fills in the times of history entries that have none: a layer has its own, an
// entry without a layer that of the next new layer, or of the last one
// (exporter/containerimage/writer.go normalizeLayersAndHistory).
void complete_times(std::vector<store::History>& history);

}  // namespace cbuild::builder
