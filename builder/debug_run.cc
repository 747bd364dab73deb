// cbuild debug: a command in the state that a failed RUN left.
#include <fcntl.h>
#include <sys/stat.h>

#include <list>

#include "base/dir.h"
#include "builder/failed_run.h"
#include "builder/secret.h"
#include "runtime/layer_view.h"

namespace cbuild::builder {
namespace {

using Note = std::function<void(const std::string&)>;

// Makes the mounts again, and holds what they need until the command ends.
class Mounts {
 public:
  Mounts(store::Store& store, const DebugRequest& request,
         runtime::ViewKind kind, const Note& note)
      : store_(store),
        request_(request),
        kind_(kind),
        note_(note),
        scratch_(store.temp_dir("debug-")),
        agents_(request.ssh, store) {}

  void add(const FailedRun::Mount& mount, runtime::RunSpec& spec) {
    if (mount.type == "bind" || mount.type == "cache")
      add_directory(mount, spec);
    else if (mount.type == "layers")
      add_layers(mount, spec);
    else if (mount.type == "tmpfs")
      spec.mounts.push_back(
          runtime::TmpfsMount{mount.target, mount.size, mount.read_only});
    else if (mount.type == "secret")
      add_secret(mount, spec);
    else if (mount.type == "ssh")
      add_ssh(mount, spec);
    else
      spec.mounts.push_back(runtime::SecretMount{
          mount.target, mount.text, mount.mode, mount.uid, mount.gid, false});
  }

 private:
  void add_directory(const FailedRun::Mount& mount, runtime::RunSpec& spec) {
    struct stat st;
    if (::stat(mount.place.c_str(), &st) == -1)
      return note_("not mounted, it is gone: " + mount.place);
    roots_.push_back(open_path(mount.place, O_RDONLY | O_DIRECTORY));
    add_bind(mount, mount.type == "bind" && !mount.read_only, spec);
  }

  void add_layers(const FailedRun::Mount& mount, runtime::RunSpec& spec) {
    std::vector<std::string> lowers;
    for (auto id = mount.layers.rbegin(); id != mount.layers.rend(); ++id) {
      if (!store_.layers.has_tree(*id))
        return note_("not mounted, its stage is gone: " + mount.target);
      lowers.push_back(store_.layers.tree(*id));
    }
    if (lowers.empty()) lowers = {store_.root() + "/layers/empty/tree"};
    const std::string work =
        scratch_.path() + "/layers-" + std::to_string(roots_.size());
    check(::mkdir(work.c_str(), 0700), "mkdir", work);
    views_.push_back(runtime::make_view({std::move(lowers), "", work, kind_}));
    roots_.push_back(views_.back()->open());
    add_bind(mount, !mount.read_only, spec);
  }

  void add_bind(const FailedRun::Mount& mount, bool discard,
                runtime::RunSpec& spec) {
    runtime::BindMount bind;
    bind.target = mount.target;
    bind.source = mount.source;
    bind.source_root = roots_.back().get();
    bind.read_only = mount.read_only;
    if (discard) {
      bind.discard_writes_in =
          scratch_.path() + "/" + std::to_string(roots_.size());
      check(::mkdir(bind.discard_writes_in.c_str(), 0700), "mkdir",
            bind.discard_writes_in);
    }
    spec.mounts.push_back(std::move(bind));
  }

  void add_secret(const FailedRun::Mount& mount, runtime::RunSpec& spec) {
    BuildRequest given;
    given.secrets = request_.secrets;
    const auto content = read_secret(given, mount.id);
    if (!content)
      return note_("secret " + mount.id +
                   " is not there: give --secret id=" + mount.id + ",...");
    if (!mount.text.empty()) spec.env.push_back(mount.text + "=" + *content);
    if (mount.target.empty()) return;
    spec.mounts.push_back(runtime::SecretMount{
        mount.target, *content, mount.mode, mount.uid, mount.gid});
  }

  void add_ssh(const FailedRun::Mount& mount, runtime::RunSpec& spec) {
    const auto socket = agents_.socket(mount.id);
    if (!socket)
      return note_("no SSH key " + mount.id + ": give --ssh " + mount.id);
    spec.mounts.push_back(runtime::SocketMount{
        mount.target, *socket, mount.mode, mount.uid, mount.gid});
  }

  store::Store& store_;
  const DebugRequest& request_;
  const runtime::ViewKind kind_;
  const Note& note_;
  TempDir scratch_;
  SshAgents agents_;
  std::list<std::unique_ptr<runtime::LayerView>> views_;
  std::list<Fd> roots_;
};

}  // namespace

runtime::ExitStatus debug_failed(store::Store& store, runtime::Runner& runner,
                                 const FailedRun& run,
                                 const DebugRequest& request,
                                 const runtime::OutputSink& output,
                                 const Note& note,
                                 const std::atomic<bool>* stop) {
  runtime::RunSpec spec = run.spec;
  const std::string place = store.root() + "/failed/" + run.id;
  const auto lock =
      store::FileLock::try_lock(place + "/lock", store::LockMode::exclusive);
  if (!lock) throw Error("another cbuild debug is in " + run.id);
  spec.root.upper = place + "/upper";
  spec.root.work = place + "/work";
  // An upper directory that was mounted volatile is refused with the same work
  // directory (kernel documentation, overlayfs.rst, "Volatile mount").
  remove_tree(spec.root.work);
  make_dirs(spec.root.work, 0700);
  for (auto id = run.layers.rbegin(); id != run.layers.rend(); ++id) {
    if (!store.layers.has_tree(*id))
      throw Error("the layers below this RUN were removed");
    spec.root.lowers.push_back(store.layers.tree(*id));
  }
  spec.argv = request.command.empty() ? std::vector<std::string>{"/bin/sh"}
                                      : request.command;
  spec.standard_input = request.standard_input;
  spec.terminal = request.terminal;
  spec.root.kind = runner.view();
  Mounts mounts(store, request, spec.root.kind, note);
  for (const FailedRun::Mount& mount : run.mounts) mounts.add(mount, spec);
  return runner.run(spec, output, stop);
}

}  // namespace cbuild::builder
