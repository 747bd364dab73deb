// The half of FileView that reads a build context; private to it.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "builder/copy_xattrs.h"
#include "builder/file_view.h"

namespace cbuild::builder {

// The members mean what FileView's do.
class ContextTree {
 public:
  ContextTree(const std::string& directory, parser::IgnoreMatcher ignore,
              const std::string& stat_table_dir,
              std::vector<std::string> places, ContextMode mode);

  std::optional<ViewEntry> find(const std::string& path) const;
  std::vector<ViewEntry> list(const std::string& path) const;
  store::Digest content(const std::string& path, const ViewEntry& entry) const;
  Xattrs xattrs(const std::string& path, const ViewEntry& entry) const;
  std::string link_target(const std::string& path, const ViewEntry&) const;
  std::string link_id(const std::string& path, const ViewEntry& entry) const;
  std::optional<std::string> resolve(const std::string& path) const;
  std::optional<store::Digest> known_content(const ViewEntry& entry) const {
    const std::optional<FileFacts> facts = table_.find(entry.identity);
    return facts ? std::optional(facts->content) : std::nullopt;
  }
  bool settled(const ViewEntry& entry) const {
    return table_.settled(entry.identity);
  }
  bool was_read() const { return was_read_; }

  ContextMode mode() const { return mode_; }
  // Whether or not they are ignored.
  std::vector<ViewEntry> list_any(const std::string& path) const;
  std::string reason_absent(const std::string& path) const;
  const parser::IgnoreMatcher& ignore() const { return ignore_; }
  void save_stat_table() const { table_.save(); }

 private:
  std::optional<ViewEntry> find_any(const std::string& path) const;
  ViewEntry entry_of(const struct stat& st, std::string name) const;
  bool visible(const std::string& path, bool directory) const;
  bool holds_kept(const std::string& path) const;
  FileFacts facts(const std::string& path, const ViewEntry& entry) const;

  std::string directory_;
  Fd root_;
  parser::IgnoreMatcher ignore_;
  std::vector<std::string> places_;
  ContextMode mode_;
  mutable StatTable table_;
  mutable std::atomic<bool> was_read_ = false;
  mutable std::mutex kept_mutex_;
  mutable std::map<std::string, bool> kept_;  // what holds_kept() answered
};

}  // namespace cbuild::builder
