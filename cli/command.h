// The commands, as a table, and what each one gets.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/options.h"
#include "registry/client.h"
#include "runtime/isolation.h"
#include "store/store.h"

namespace cbuild::cli {

// What a command works with: its arguments, and the store, opened when it is
// first asked for. A user's store has files of the user's subordinate ids, so
// opening it enters the isolation that RUNs have too: no thread may be there
// yet.
class Session {
 public:
  Session(Arguments arguments, const std::atomic<bool>* stop);

  const Arguments& args() const { return arguments_; }
  const std::atomic<bool>* stop() const { return stop_; }
  store::Store& store();
  // Of --isolation or CBUILD_ISOLATION; entered with the store.
  const runtime::Isolation& isolation();
  // From --insecure and --tls-ca, which the command's table must have.
  registry::ClientOptions client_options() const;

 private:
  Arguments arguments_;
  const std::atomic<bool>* stop_;
  std::optional<runtime::Isolation> isolation_;
  std::optional<store::Store> store_;
};

struct Command {
  const char* name;
  const char* usage;    // "[OPTIONS] CONTEXT"
  const char* summary;  // one line
  const char* details;  // paragraphs and examples under the flags, or ""
  const FlagTable& table;
  std::size_t min_words;
  std::size_t max_words;
  void (*run)(Session& session);
};

// In the order of the help.
std::span<const Command* const> commands();
// By name or docker's other names for it ("image ls" is images); nullptr where
// there is none.
const Command* find_command(std::string_view name);

extern const Command kBuildCommand;
extern const Command kContextLsCommand;
extern const Command kCheckCommand;
extern const Command kPullCommand;
extern const Command kPushCommand;
extern const Command kImagesCommand;
extern const Command kGraphCommand;
extern const Command kHistoryCommand;
extern const Command kInspectCommand;
extern const Command kTagCommand;
extern const Command kRmiCommand;
extern const Command kSaveCommand;
extern const Command kLoadCommand;
extern const Command kLoginCommand;
extern const Command kLogoutCommand;
extern const Command kPruneCommand;
extern const Command kDuCommand;
extern const Command kBuildsCommand;
extern const Command kVerifyCommand;
extern const Command kWhyCommand;
extern const Command kDoctorCommand;
extern const Command kDebugCommand;
extern const Command kCacheCommand;
extern const Command kVersionCommand;
extern const Command kHelpCommand;

// Runs the command line (without the program's name). Throws Error; returns
// where the command did what it was asked for.
void dispatch(const std::vector<std::string>& arguments,
              const std::atomic<bool>* stop);

// Flags that every command takes, and those of commands that talk to a
// registry: parts of their tables.
inline constexpr Flag kGlobalFlags[] = {
    {"Everywhere", "--root", Takes::one, "DIR",
     "Where images and cache are kept (also CBUILD_ROOT)"},
    {"Everywhere", "--isolation", Takes::one, "RUNG[:VIEW]",
     "How RUNs are kept apart and files owned: auto (default: the best that is "
     "possible), root, userns or chroot; and how layers are seen as one "
     "directory: overlay, fuse or copy (also CBUILD_ISOLATION)"},
    {"Everywhere", "-D,--debug", Takes::nothing, "",
     "Say what kind of failure it was and how long the command took"},
    {"Everywhere", "-h,--help", Takes::nothing, "", "Print help"},
};
inline constexpr Flag kRegistryFlags[] = {
    {"Registry", "--insecure", Takes::nothing, "",
     "Allow plain HTTP and certificates that do not verify"},
    {"Registry", "--tls-ca", Takes::many, "FILE",
     "Trust this CA certificate (PEM) too"},
};

}  // namespace cbuild::cli
