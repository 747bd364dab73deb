// What files of a build context contained when they were last read.
//
//   <directory>/<sha256 of the context's path>   sorted records, see the .cc
//
// A file is known by (device, inode, size, mtime, ctime); the kernel sets ctime
// with every change, and nothing can set it back. A file changed in the very
// tick of the clock in which it was read is not remembered: a second change
// within that tick would leave the same ctime. The table is read when first
// asked and written once, whole, by rename; a damaged one counts as empty.
// Every member may be called by any thread.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/digest.h"

namespace cbuild::builder {

// Times are nanoseconds since the epoch.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;  // bytes
  std::int64_t mtime = 0;
  std::int64_t ctime = 0;

  auto operator<=>(const FileIdentity&) const = default;
};

FileIdentity identity_of(const struct stat& st);

struct FileFacts {
  store::Digest content;
  bool has_xattrs = false;  // some that a copy would keep
};

class StatTable {
 public:
  // `file` need not exist; its directory is made when it is saved.
  explicit StatTable(std::string file) : file_(std::move(file)) {}

  std::optional<FileFacts> find(const FileIdentity& file);
  // Whether what find() answers will hold as long as the file's identity does:
  // false for a file that may have been changed again in the tick in which it
  // was read.
  bool settled(const FileIdentity& file);

  // `read_at`: clock() from before the file was opened. A fact that cannot be
  // trusted later still answers find() as long as this object lives.
  void put(const FileIdentity& file, FileFacts facts, std::int64_t read_at);

  // Writes the table if something was put. Records that no build used for
  // thirty days are dropped. Throws SystemError.
  void save();

  // The clock that time stamps of files come from.
  static std::int64_t clock();

 private:
  struct New {
    FileFacts facts;
    bool lasting = false;
  };

  // The file, mapped: of a large table only the pages that are searched are
  // read. It is never shortened, only replaced.
  class Mapping {
   public:
    Mapping() = default;
    explicit Mapping(const std::string& file);  // empty if there is none
    Mapping(Mapping&& other) noexcept { *this = std::move(other); }
    Mapping& operator=(Mapping&& other) noexcept {
      std::swap(data_, other.data_);
      return *this;
    }
    ~Mapping();

    std::string_view data() const { return data_; }

   private:
    std::string_view data_;
  };

  void load();
  bool worth_saving() const;
  std::string merged() const;

  std::mutex mutex_;
  std::string file_;
  bool loaded_ = false;
  Mapping mapping_;
  std::string_view records_;  // in mapping_
  std::string used_;          // one byte a record: found in this build
  bool days_changed_ = false;
  std::map<FileIdentity, New> new_;
};

}  // namespace cbuild::builder
