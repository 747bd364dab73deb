// What a failing RUN left behind, kept for `cbuild debug`.
//
//   <root>/failed/<id>/upper     what it had written
//   <root>/failed/<id>/work      overlayfs's own
//   <root>/failed/<id>/layers    the layers below it, one a line: prune keeps
//   them <root>/failed/<id>/run.json  what it ran, how, with which mounts
//
// Contents of secrets and proxy variables are not in it: they are asked for
// again. Staged and renamed like everything in the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/build.h"
#include "builder/plan.h"

namespace cbuild::builder {

struct FailedRun {
  // A mount: what is needed to make it again.
  struct Mount {
    std::string type;  // bind, layers, cache, tmpfs, secret, ssh, file
    std::string target;
    std::string place;   // bind: a directory of the host; cache: its directory
    std::string source;  // bind, layers: path below that
    std::string id;      // secret, ssh
    std::string text;    // secret: name of the variable; file: content
    std::vector<store::LayerId> layers;
    std::uint64_t size = 0;
    bool read_only = false;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
  };

  std::string id;
  std::string title;   // "[build 2/5] RUN make"
  std::string reason;  // "exit code: 2"
  std::int64_t time = 0;
  std::vector<store::LayerId> layers;
  std::vector<Mount> mounts;
  // Without mounts, the paths of `root`, and secret and proxy variables.
  runtime::RunSpec spec;
};

// Keeps `upper` (renamed away) and returns the new id.
std::string keep_failed(store::Store& store, const FailedRun& run,
                        const std::string& upper);
// Newest first. One that cannot be read is left out.
std::vector<FailedRun> failed_runs(store::Store& store);
// The one whose id starts with `id`; the newest for "". Throws UsageError.
FailedRun find_failed(store::Store& store, const std::string& id);
void remove_failed(store::Store& store, const std::string& id);

struct DebugRequest {
  std::vector<std::string> command;  // empty: /bin/sh
  std::map<std::string, SecretSource> secrets;
  std::map<std::string, SshSource> ssh;
  int standard_input = -1;  // for the command; -1: empty
  int terminal = -1;        // its controlling terminal, in place of all three
};

// Runs a command in that state, with the same environment, user, directory and
// mounts; what it writes is kept there too. Mounts that cannot be had again (a
// secret that was not given, a context that is gone) are told to `note` and
// left out.
runtime::ExitStatus debug_failed(
    store::Store& store, runtime::Runner& runner, const FailedRun& run,
    const DebugRequest& request, const runtime::OutputSink& output,
    const std::function<void(const std::string&)>& note,
    const std::atomic<bool>* stop);

}  // namespace cbuild::builder
