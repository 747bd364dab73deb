// COPY and ADD: which files, their digest for the step's key, and the copying.
//
// Exact rules: reference/peers.md 1.9 and 4.2 (BuildKit's fsutil copy and
// contenthash). All writing is confined to the destination root (openat2,
// RESOLVE_IN_ROOT).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "builder/file_listing.h"
#include "builder/file_view.h"
#include "store/digest.h"
#include "store/held_back.h"
#include "store/known_contents.h"
#include "store/step_cache.h"

namespace cbuild::builder {

// A source that is not there, or a pattern that is none: a mistake in the
// Dockerfile. what() has BuildKit's words.
class MissingSource : public Error {
 public:
  using Error::Error;
  // Which of the spec's sources; set by copy_key_inputs().
  std::optional<std::size_t> source;
};

struct InlineFile {  // a heredoc
  std::string name;
  std::string content;
};

// A COPY or ADD with everything expanded.
struct CopySpec {
  bool add = false;
  std::vector<std::string> sources;  // as expanded; not yet cleaned
  std::vector<InlineFile> inline_files;
  std::string destination;  // absolute; a trailing slash (or "/.") is kept
  std::string chown;        // "", "user", "user:group", numbers or names
  std::string chmod;        // "", octal or symbolic
  bool parents = false;
  std::vector<std::string> exclude;
  std::optional<bool> unpack;  // ADD: nullopt unpacks local archives
  std::optional<std::int64_t> source_date_epoch;
  // The name a source is found under is not the one it lands under: a mount's.
  bool renamed = false;
};

// The named inputs that the copied files contribute to the step's key: the
// digest of everything selected (relative path, type, link target, content,
// xattrs, owner where it is kept, and mode as it will land), each source as one
// input. Never mtime, inode, or absolute path; bits that chown and chmod
// override are left out. Throws Error with BuildKit's words where a source is
// missing: failed to compute cache key: ... "/foo": not found.
// With `listings` the files themselves are told too, by that digest.
using FileListings = std::map<std::string, FileListing>;
store::KeyInputs copy_key_inputs(const CopySpec& spec, const FileView& from,
                                 FileListings* listings = nullptr);

// Where the files of one source are.
struct CopyOrigin {
  const FileView* view = nullptr;
  int root = -1;  // descriptor of the directory that `view` shows
  // Path of what came from the network, "" for all that `root` holds: it is
  // copied as it is, whatever the argument looks like.
  std::optional<std::string> remote;
};

// What a copy knows of what it made, by path in the destination.
struct CopyResult {
  store::HeldBackPaths held;  // could be put neither on the disk nor beside it
  store::KnownContents contents;
};

// Copies each source from its origin (as many as there are sources) into
// `destination_root`, as root does. Where both are on one file system that can,
// contents are shared (FICLONE) or copied in the kernel. Throws Error where a
// file is not what the step's key was computed from any more.
CopyResult copy_files(const CopySpec& spec,
                      const std::vector<CopyOrigin>& origins,
                      int destination_root);

// All sources from one directory, `source_root`, which `from` shows.
CopyResult copy_files(const CopySpec& spec, const FileView& from,
                      int source_root, int destination_root);

// Numbers for "user[:group]" of --chown and of WORKDIR's USER, looked up in the
// root's /etc/passwd and /etc/group: a number alone is uid and gid, a name
// alone has its primary group, an unknown name is 0 (BuildKit
// ops/user_linux.go).
struct FileOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
FileOwner resolve_owner(int root, const std::string& text);

// What is wrong with a --chown, or a WORKDIR's USER, where there is no passwd
// to look names up in: COPY --link, and a stage from scratch that has no files
// yet. BuildKit's words, or "" for numbers, root and nothing.
std::string unresolvable_owner(const std::string& text);

// mkdir -p of WORKDIR or of a RUN's cwd inside `root`: missing directories are
// made with mode 0755 and that owner; existing ones are left untouched. Throws
// Error where something on the way is no directory.
void make_directories(int root, const std::string& path, std::uint32_t uid,
                      std::uint32_t gid,
                      std::optional<std::int64_t> mtime = {});

// --chmod: octal or BSD chmod(1) grammar, umask 0 (the unit family "chmod").
// Throws Error with BuildKit's words for what is neither.
class ModeChange {
 public:
  static ModeChange parse(const std::string& text);
  bool octal() const { return octal_.has_value(); }
  // The new permission bits (07777) of an entry with `mode`.
  std::uint32_t apply(std::uint32_t mode, bool directory) const;

 private:
  friend class ModeChangeParser;
  // A change of bits, or a copy of one class's bits to others.
  struct Command {
    char kind = '+';  // '+', '-', 'X' set or clear `bits`; "ugo": copy from it
    std::uint32_t bits = 0;
    std::uint32_t classes = 0;  // copy: 0700, 070 and 07 of who gets them
    bool clear = false;         // copy: take the bits away, for = all first
    bool set = false;
  };
  std::optional<std::uint32_t> octal_;
  std::vector<Command> commands_;
};

}  // namespace cbuild::builder
