// libarchive, loaded when the first archive is read or written: it and what it
// needs take longer to load than a cached build lasts. Private to tar_*.cc.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <clocale>
#include <exception>
#include <string>
#include <utility>

#include "base/dynlib.h"

namespace cbuild::store {

// The functions of libarchive that are used, by their own names.
struct ArchiveLibrary {
  DynamicLibrary library{"libarchive.so.13", "libarchive13"};

#define CBUILD_ARCHIVE(name) \
  decltype(&::name) name = library.function<decltype(&::name)>(#name)
  CBUILD_ARCHIVE(archive_error_string);
  CBUILD_ARCHIVE(archive_set_error);
  CBUILD_ARCHIVE(archive_read_new);
  CBUILD_ARCHIVE(archive_read_free);
  CBUILD_ARCHIVE(archive_read_open2);
  CBUILD_ARCHIVE(archive_read_next_header2);
  CBUILD_ARCHIVE(archive_read_data);
  CBUILD_ARCHIVE(archive_read_data_block);
  CBUILD_ARCHIVE(archive_read_support_format_tar);
  CBUILD_ARCHIVE(archive_read_support_format_empty);
  CBUILD_ARCHIVE(archive_read_support_format_raw);
  CBUILD_ARCHIVE(archive_read_support_filter_gzip);
  CBUILD_ARCHIVE(archive_read_support_filter_bzip2);
  CBUILD_ARCHIVE(archive_read_support_filter_xz);
  CBUILD_ARCHIVE(archive_read_support_filter_zstd);
  CBUILD_ARCHIVE(archive_read_append_filter);
  CBUILD_ARCHIVE(archive_write_new);
  CBUILD_ARCHIVE(archive_write_free);
  CBUILD_ARCHIVE(archive_write_close);
  CBUILD_ARCHIVE(archive_write_open);
  CBUILD_ARCHIVE(archive_write_set_format_pax);
  CBUILD_ARCHIVE(archive_write_set_format_option);
  CBUILD_ARCHIVE(archive_write_set_bytes_per_block);
  CBUILD_ARCHIVE(archive_write_header);
  CBUILD_ARCHIVE(archive_write_data);
  CBUILD_ARCHIVE(archive_entry_new);
  CBUILD_ARCHIVE(archive_entry_free);
  CBUILD_ARCHIVE(archive_entry_clear);
  CBUILD_ARCHIVE(archive_entry_pathname);
  CBUILD_ARCHIVE(archive_entry_hardlink);
  CBUILD_ARCHIVE(archive_entry_symlink);
  CBUILD_ARCHIVE(archive_entry_filetype);
  CBUILD_ARCHIVE(archive_entry_perm);
  CBUILD_ARCHIVE(archive_entry_uid);
  CBUILD_ARCHIVE(archive_entry_gid);
  CBUILD_ARCHIVE(archive_entry_size);
  CBUILD_ARCHIVE(archive_entry_mtime);
  CBUILD_ARCHIVE(archive_entry_mtime_nsec);
  CBUILD_ARCHIVE(archive_entry_rdevmajor);
  CBUILD_ARCHIVE(archive_entry_rdevminor);
  CBUILD_ARCHIVE(archive_entry_xattr_reset);
  CBUILD_ARCHIVE(archive_entry_xattr_next);
  CBUILD_ARCHIVE(archive_entry_set_pathname);
  CBUILD_ARCHIVE(archive_entry_set_hardlink);
  CBUILD_ARCHIVE(archive_entry_set_symlink);
  CBUILD_ARCHIVE(archive_entry_set_filetype);
  CBUILD_ARCHIVE(archive_entry_set_perm);
  CBUILD_ARCHIVE(archive_entry_set_uid);
  CBUILD_ARCHIVE(archive_entry_set_gid);
  CBUILD_ARCHIVE(archive_entry_set_size);
  CBUILD_ARCHIVE(archive_entry_set_mtime);
  CBUILD_ARCHIVE(archive_entry_set_rdevmajor);
  CBUILD_ARCHIVE(archive_entry_set_rdevminor);
  CBUILD_ARCHIVE(archive_entry_xattr_add_entry);
#undef CBUILD_ARCHIVE
};

const ArchiveLibrary& archive_library();

// libarchive takes names to be in the locale's encoding. While one of these
// lives, the thread's encoding is UTF-8, whatever the program's locale is:
// names that are UTF-8 pass unchanged, and for others it falls back to bytes.
class Utf8Names {
 public:
  Utf8Names();
  ~Utf8Names();
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t previous_;
};

// What `a` says went wrong; never empty.
std::string archive_problem(archive* a);

// An exception must not cross C: a callback parks it here, and it is rethrown
// once libarchive has returned.
struct Parked {
  std::exception_ptr failure;
  void rethrow() {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }
};

}  // namespace cbuild::store
