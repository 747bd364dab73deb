// Runs one command in a container; knows no image and no Dockerfile.
//
// The parent makes the overlay mount and whatever else can fail, then clone3s a
// child that goes through the steps of child.cc (namespaces, mounts,
// pivot_root, capabilities, seccomp) and execs. When the command's first
// process ends, the pid namespace ends with it; nothing is left behind, also
// not when cbuild itself is killed (PR_SET_PDEATHSIG, detached mounts).
//
// That is NamespaceRunner, as root or in a user namespace (Linux 5.12); where no
// namespace may be made there is ChrootRunner. Not being able to isolate throws
// IsolationError; everything else that fails before the command runs throws
// Error with "RUN: <step>: <reason>". A program that is not there, or is none,
// is the command's own failure: said on Stream::err as runc says it, and exit
// code 127 or 126.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dir.h"
#include "base/error.h"
#include "runtime/cgroup.h"
#include "runtime/overlay.h"

namespace cbuild::runtime {

enum class NetworkMode {
  egress,  // own namespace with a way out: veth and NAT as root
  none,    // own namespace, loopback only
  host,    // the host's
};

// RUN --mount, ready to be mounted: paths are final, users are numbers.
struct BindMount {
  std::string target;
  // A directory or file. `source_root` is a descriptor (kept open by the caller
  // until run() returns) below which `source` is resolved as in openat2
  // RESOLVE_IN_ROOT, ".." being taken away from the text first; "" is the root
  // itself. Before Linux 6.15 a descriptor of a detached mount (mount_overlay)
  // is used up: it can be read afterwards, but not be bound by a second run.
  int source_root = -1;
  std::string source;
  bool read_only = true;
  // Writes are allowed and thrown away with the step (bind,rw): an overlay with
  // a scratch upper directory is put over the source. The caller gives a
  // directory for upper and work on a file system that can hold them.
  std::string discard_writes_in;
};
struct TmpfsMount {
  std::string target;
  std::uint64_t size = 0;  // bytes; 0: the kernel's default
  bool read_only = false;
};
// Files that exist only on a tmpfs: secrets, and others as small.
struct SecretMount {
  std::string target;
  std::string content;
  std::uint32_t mode = 0400;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool confidential = true;  // it must never be on a disk
};
// A socket that passes each connection on to one of the host: an ssh agent's.
struct SocketMount {
  std::string target;
  std::string connect_to;  // path of a listening socket
  std::uint32_t mode = 0600;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
using Mount = std::variant<BindMount, TmpfsMount, SecretMount, SocketMount>;

// A node below /dev beside the usual ones.
struct DeviceNode {
  std::string path;
  bool block = false;
  unsigned major = 0;
  unsigned minor = 0;
  std::uint32_t mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct ResourceLimit {  // setrlimit(2)
  int resource;         // RLIMIT_NOFILE, ...
  std::uint64_t soft;
  std::uint64_t hard;
};

struct RunSpec {
  OverlaySpec root;
  std::string architecture;       // of its programs (arm64); "": this machine's
  std::vector<std::string> argv;  // argv[0] is looked up in PATH of `env`
  std::vector<std::string> env;   // "K=V"; HOME is added from passwd if absent
  std::string cwd = "/";          // created, owned by the user, where absent
  std::string user;               // as in resolve_user()
  std::string hostname = "buildkitsandbox";
  NetworkMode network = NetworkMode::egress;
  std::vector<std::pair<std::string, std::string>>
      extra_hosts;  // name, address; kHostGateway: the host as seen inside
  std::vector<Mount> mounts;  // mounted in order of their target
  std::vector<DeviceNode> devices;
  std::string ca_certificates;  // PEM: trusted while it runs, see CaFiles
  std::uint64_t shm_size = 64ull << 20;  // bytes of /dev/shm
  std::vector<ResourceLimit> limits;
  // For `cbuild debug`: a descriptor to be standard input (-1: /dev/null), or a
  // terminal to be all three and the controlling one.
  int standard_input = -1;
  int terminal = -1;
  bool insecure = false;  // --security=insecure: all capabilities, no seccomp
};

enum class Stream { out, err };

inline constexpr const char* kHostGateway = "host-gateway";

// Called on the thread that called run(), with what the command printed, in
// the order it was read; not cut at line ends.
using OutputSink = std::function<void(Stream, std::string_view)>;

struct ExitStatus {
  int code = 0;                    // exit code, or 128 + signal
  int signal = 0;                  // the signal that ended it, or 0
  bool out_of_memory = false;      // the kernel killed one of its processes
  std::uint64_t memory_limit = 0;  // bytes, where that is known
  std::uint64_t memory_peak = 0;
  bool out_of_processes = false;  // it wanted more than it may have
  std::chrono::nanoseconds wall{};
};

// The seam between the builder and the kernel; tests have a fake.
class Runner {
 public:
  virtual ~Runner() = default;

  // Runs to the end. Thread-safe. After it returns the upper directory holds
  // what the command wrote and nothing of the sandbox: mount points that were
  // made for it (and are still empty) are removed again, with the times of
  // their parents put back. Throws Interrupted, with everything killed, once
  // `*stop` is true (looked at within 50 ms).
  virtual ExitStatus run(const RunSpec& spec, const OutputSink& output,
                         const std::atomic<bool>* stop) = 0;

  // How layers can be seen as one directory here, for `RunSpec::root` and for
  // who writes files by itself. May be found out by the first call.
  virtual ViewKind view() { return ViewKind::overlay; }
};

struct RunnerOptions {
  Resources resources;
  std::string cgroup_parent;     // see CgroupPool
  std::optional<ViewKind> view;  // no other will do
  // A directory on the store's file system to try views in; none: in state_dir.
  std::function<TempDir()> scratch;
};

// Namespaces and overlayfs. Cheap to make; the network for
// NetworkMode::egress is set up when the first run asks for it and taken down
// by the destructor. Where egress cannot be had, says so once through
// base/log.h and uses the host's network.
class NamespaceRunner final : public Runner {
 public:
  // `state_dir`: a directory, made if absent, that mounts are put on before
  // they are moved into a container; in the child's namespace only, so nobody
  // sees. Each run gets a control group where one can be made.
  explicit NamespaceRunner(std::string state_dir, RunnerOptions options = {});
  ~NamespaceRunner() override;
  ExitStatus run(const RunSpec& spec, const OutputSink& output,
                 const std::atomic<bool>* stop) override;
  ViewKind view() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cbuild::runtime
