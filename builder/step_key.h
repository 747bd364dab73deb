// The named inputs of each step's key (DESIGN.md section 5).
//
// A step's key is store::key_of over the inputs given here, the content of
// copied or mounted files, and the key of the step below. What is not named
// here cannot change the result as far as the cache is concerned: no clock, no
// path on this machine, no stage name, no comment.
#pragma once

#include "builder/build.h"
#include "builder/plan.h"
#include "store/step_cache.h"

namespace cbuild::builder {

// Platform and the chain of diffIDs: a tag that moves to an image with the same
// layers is a hit.
store::KeyInputs image_inputs(const ImageStep& step);

// Everything RUN sees but files: command, environment in order, user, network,
// mounts by declaration. Secrets and cache contents are left out.
store::KeyInputs run_inputs(const RunStep& step, const BuildRequest& request);

// Destination, flags and heredocs; of the sources only the last name, since
// the directories above them do not matter.
store::KeyInputs copy_inputs(const CopyStep& step);

// The sources as written: with the key of the stage they come from, this names
// what is copied without looking at it.
store::KeyInputs source_declaration(const CopyStep& step);

store::KeyInputs workdir_inputs(const WorkdirStep& step,
                                std::optional<std::int64_t> epoch);

// What a bind mount, or the seed of a cache, takes from its origin.
CopySpec mount_selection(const MountStep& mount);

}  // namespace cbuild::builder
