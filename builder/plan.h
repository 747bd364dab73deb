// The plan: every step of the build that can make a layer, as a graph.
//
// Made before anything is executed, from the Dockerfile and the configs of base
// images. All words are expanded and all stages the target does not need are
// gone. From then on the plan is immutable.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "builder/copy_files.h"
#include "builder/devices.h"
#include "builder/file_view.h"
#include "builder/remote_source.h"
#include "builder/variables.h"
#include "parser/ast.h"
#include "parser/mount.h"
#include "registry/reference.h"
#include "runtime/runner.h"
#include "store/image.h"

namespace cbuild::builder {

using StepId = std::size_t;

// Where files come from: the build context, a named context, or what a step
// left behind. No step: an empty file system (scratch).
struct FileOrigin {
  std::shared_ptr<const FileView> context;  // set: a context
  std::string context_dir;
  std::string name;  // of a context, for people: directory or URL as given
  std::optional<StepId> step;
};

// FROM an image: gives its layers.
struct ImageStep {
  registry::Reference reference;
  store::Image image;
  std::string layout;  // directory of the OCI layout it is in, else empty
};

// One --mount of a RUN.
struct MountStep {
  parser::RunMount mount;
  std::string target;  // absolute
  FileOrigin origin;   // bind, and the seed of a cache
  bool has_origin = false;
};

struct RunStep {
  std::vector<std::string> argv;
  std::vector<std::string> env;        // part of the key
  std::vector<std::string> proxy_env;  // not part of the key
  std::set<std::string> arg_names;     // those of env that are ARGs
  store::Platform platform;            // what the stage is for
  std::string cwd;
  std::string user;
  std::string hostname;      // empty: the runner's default
  std::string architecture;  // of the stage; not part of the key: its base is
  std::optional<runtime::NetworkMode> network;  // RUN --network
  bool insecure = false;
  std::vector<MountStep> mounts;
  std::vector<parser::RunDevice> devices;  // part of the key
  std::vector<DeviceEdits> device_edits;   // what they are here; not
  // A heredoc that starts with #!: its name and text, run as /dev/pipes/<name>.
  std::optional<InlineFile> script;
};

struct CopyStep {
  CopySpec spec;
  FileOrigin origin;
  bool link = false;
  // By the number of the source: those that come from the network and not from
  // `origin`.
  std::map<std::size_t, RemoteSource> remotes;
  std::vector<parser::Span> places;  // of the sources; none: not in this file
};

struct WorkdirStep {
  std::string path;
  std::string user;
};

struct Step {
  StepId id = 0;
  std::variant<RunStep, CopyStep, WorkdirStep, ImageStep> node;
  std::optional<StepId> parent;  // the file system below; none: empty
  std::string stage;             // name of its stage, for messages
  std::string name;              // "[build 2/5] RUN make"
  parser::Span span;             // in the Dockerfile
  bool no_cache = false;
};

// The image to publish: its config, whose history has one entry with a layer
// for each step on the way from the base image to `top`.
struct Plan {
  std::vector<Step> steps;  // parents and sources before their users
  std::optional<StepId> top;
  store::ImageConfig image;
  std::optional<std::int64_t> source_date_epoch;
};

}  // namespace cbuild::builder
