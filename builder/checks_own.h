// Checks that BuildKit lacks: FilesStoredTwice and ArgInvalidatesOtherSteps.
//
// Both judge by what is written, not by what a RUN really does, so that they
// are off unless asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/checks.h"
#include "builder/shell_commands.h"
#include "builder/stage_graph.h"
#include "parser/expand.h"

namespace cbuild::builder {

// What an instruction of the stage put into the file system.
struct Brought {
  std::string line;                // the instruction, for messages
  bool copy = false;               // COPY or ADD, else RUN
  std::vector<std::string> paths;  // COPY: where; RUN: where it may write
  std::vector<std::string> files;  // COPY: single files among them
};

// `line` is left to the caller in both. A source is taken for a file where the
// destination is a directory (of a directory only the content lands there) or
// where its name has a dot.
Brought brought_by_copy(const std::vector<std::string>& sources,
                        const std::string& destination);
// Where a RUN may write, as far as its text tells: its directory and the
// absolute paths it names.
Brought brought_by_run(const std::vector<ShellCommand>& commands,
                       std::string directory, const parser::Lookup& lookup);

// For each chown, chgrp or chmod of what an earlier instruction brought: what
// is wrong with it. Changing an owner or a mode makes overlayfs, and so the
// layer, hold the whole file again.
std::vector<std::string> stored_twice(const std::vector<ShellCommand>& commands,
                                      std::string directory,
                                      const parser::Lookup& lookup,
                                      const std::vector<Brought>& earlier);

// ArgInvalidatesOtherSteps of one stage. `fixed` are names whose values do not
// change from build to build.
void check_args(const StageNode& stage, const std::vector<std::string>& fixed,
                Checks& checks);

}  // namespace cbuild::builder
