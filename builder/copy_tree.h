// Copies what one source argument selected to its place in the destination.
//
// The rules are those of BuildKit's fsutil/copy: a directory gives its
// contents; the top directory keeps its own metadata and takes the source's
// time; nested directories are overwritten; links in the destination are
// replaced, not followed, below the destination itself. All work is done on
// descriptors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "builder/copy_content.h"
#include "builder/copy_files.h"
#include "builder/copy_select.h"
#include "builder/copy_target.h"

namespace cbuild::builder {

// What is laid over the source's metadata.
struct CopyStyle {
  std::optional<FileOwner> owner;      // --chown
  std::optional<ModeChange> mode;      // --chmod
  std::optional<std::int64_t> latest;  // seconds; later times become this

  NewDirectory new_directory() const;
};

class TreeCopier {
 public:
  // Descriptors of directories; both outlive the copier.
  // `result` is added to.
  TreeCopier(const FileView& from, int source_root, int destination_root,
             const CopyStyle& style, CopyResult& result);

  // `destination`: resolved, below the destination root. `filter` is for what
  // lies below a directory. Returns the directories made on the way there.
  std::vector<std::string> copy(const Match& match, const CopyFilter& filter,
                                const std::string& destination);

 private:
  // A directory being copied. Its counterpart is made when something in it is
  // included, so that --parents leaves no empty directories behind.
  struct Level {
    std::string path;         // in the source
    std::string destination;  // in the destination root
    ViewEntry entry;
    bool included = false;
    bool top = false;
    bool made = false;   // `target` is open
    bool fresh = false;  // did not exist before
    Fd source;
    Fd target;
  };

  void copy_directory(const Match& match, const CopyFilter& filter,
                      const std::string& destination);
  void enter(const SelectionWalk::Step& step);
  void leave();
  void make_levels();
  void make_level(Level& level, const Level& parent);
  int source_of(std::size_t level);

  void copy_entry(int source, const ViewEntry& entry, const std::string& path,
                  int target, const std::string& name,
                  const std::string& destination);
  bool link_to_earlier(const ViewEntry& entry, const std::string& path,
                       int target, const std::string& name,
                       const std::string& destination);
  void copy_file(int source, const ViewEntry& entry, const std::string& path,
                 int target, const std::string& name,
                 const std::string& destination);
  void copy_special(const ViewEntry& entry, int target, const std::string& name,
                    const std::string& destination);
  void copy_link(const ViewEntry& entry, const std::string& path, int target,
                 const std::string& name, const std::string& destination);

  FileOwner owner_of(const ViewEntry& entry) const;
  void give_at(int target, const std::string& name, const ViewEntry& entry,
               const std::string& destination);
  std::uint32_t mode_of(const ViewEntry& entry) const;
  bool set_metadata(int fd, const ViewEntry& entry, const std::string& path,
                    int source, const std::string& destination);
  void set_times(int fd, const ViewEntry& entry,
                 const std::string& destination);
  bool copy_xattrs(int fd, const ViewEntry& entry, const std::string& path,
                   int source, const std::string& destination);

  const FileView& from_;
  int source_root_;
  int destination_root_;
  const CopyStyle& style_;
  CopyResult& result_;
  ContentCopier content_;
  std::vector<Level> levels_;
  std::map<std::string, std::string> first_names_;  // link id -> destination
  bool told_xattrs_ = false;
};

}  // namespace cbuild::builder
