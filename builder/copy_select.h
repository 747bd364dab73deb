// Which files a COPY or ADD selects: one rule for the key and for the copying.
//
// A source argument stands for one or more matches (wildcards, links followed).
// A match that is a directory is walked; --parents' pattern and --exclude say
// what of it is included, seen from that directory. (reference/peers.md 1.9;
// BuildKit: fsutil/copy, dockerfile2llb/convert_copy.go.)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/copy_files.h"
#include "builder/file_view.h"
#include "parser/ignore.h"

namespace cbuild::builder {

// A source argument taken apart.
struct Source {
  std::string argument;  // as given
  std::string path;      // cleaned, relative; what stands before the pivot
  std::optional<std::string> pattern;   // --parents: what is included below
  std::optional<std::string> required;  // --parents: absolute, must be met
  bool filtered = false;                // by --exclude
};

Source parse_source(const CopySpec& spec, const std::string& argument);

// Something that a source stands for.
struct Match {
  std::string path;  // in the view, without links
  std::string name;  // what it is called in the destination; "" for the root
  ViewEntry entry;
};

// What stands at `path`, without following a link. Throws MissingSource.
Match match_of(const FileView& from, const std::string& path);

// Matches in the order they are copied: by name, depth first. None for a
// pattern that matches nothing. Throws Error with BuildKit's words for a
// missing path or a malformed pattern.
std::vector<Match> resolve_source(const FileView& from, const Source& source);

// "/foo": not found, and why, if the ignore file is the reason.
[[noreturn]] void throw_not_found(const FileView& from,
                                  const std::string& path);

// --parents and --exclude for one source.
class CopyFilter {
 public:
  // Throws Error for a malformed pattern.
  CopyFilter(const CopySpec& spec, const Source& source);

  // `path`: relative to the match, not empty.
  bool includes(const std::string& path) const;
  // False where nothing below the directory can be included.
  bool may_include_below(const std::string& path) const;

 private:
  std::optional<parser::IgnoreMatcher> include_;
  std::string fixed_;  // leading components of the pattern without wildcards
  parser::IgnoreMatcher exclude_;
};

// Goes through the directory `match`, parents before children, names sorted.
// Directories come twice, as enter and as leave, everything else once.
class SelectionWalk {
 public:
  struct Step {
    enum class Kind { enter, file, leave } kind;
    const ViewEntry* entry;  // valid until the next call of next()
    std::string path;        // in the view
    std::string relative;    // to the match; "" for the match itself
    // Directories: chosen itself, and not only looked through for what is.
    bool included;
  };

  SelectionWalk(const FileView& from, const CopyFilter& filter,
                const Match& match);

  // nullopt at the end. Sockets are passed over.
  std::optional<Step> next();

  // How many sockets were passed over so far, and the first one's path.
  std::size_t sockets() const { return sockets_; }
  const std::string& first_socket() const { return first_socket_; }

 private:
  struct Frame {
    ViewEntry self;
    std::string path;
    std::string relative;
    bool included = true;
    std::vector<ViewEntry> entries;
    std::size_t position = 0;
  };

  Step enter(ViewEntry entry, std::string path, std::string relative,
             bool included);

  const FileView& from_;
  const CopyFilter& filter_;
  const Match& match_;
  bool started_ = false;
  std::vector<Frame> open_;
  std::size_t sockets_ = 0;
  std::string first_socket_;
  std::optional<Frame> left_;  // keeps a leave step's entry alive
};

}  // namespace cbuild::builder
