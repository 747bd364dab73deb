// Copying the content of one file, as cheaply as the file systems allow.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "builder/file_view.h"
#include "store/digest.h"

namespace cbuild::builder {

// Remembers what the two file systems cannot do. One thread.
class ContentCopier {
 public:
  // Files of up to this many bytes pass through memory and are hashed there:
  // one read and one write cost less than asking for anything better.
  static constexpr std::uint64_t kSmall = 64 * 1024;

  // Copies all of `from` (at its start; `entry` is its listing) to the empty
  // file `to`: shared extents where possible, else in the kernel; holes stay
  // holes. `to` is open for reading too. `settled`: its content, if `from` has
  // that as long as it is the listed file (small ones need none). Returns the
  // content of what was written, but for files of a middling size that are not
  // settled: a scan with several threads is the better reader. Throws Error
  // where the file is not the listed one any more, or changes meanwhile, so
  // that no short or mixed file gets into a layer.
  std::optional<store::Digest> copy(
      int from, int to, const ViewEntry& entry, const std::string& path,
      const std::optional<store::Digest>& settled);

 private:
  store::Digest copy_small(int from, int to, std::uint64_t size,
                           const std::string& path);
  void copy_large(int from, int to, const struct stat& st,
                  const std::string& path);
  void copy_extents(int from, int to, std::uint64_t size,
                    const std::string& path);
  bool share(int from, int to);
  void copy_range(int from, int to, std::uint64_t begin, std::uint64_t end,
                  const std::string& path);
  void copy_part(int from, int to, std::uint64_t begin, std::uint64_t end,
                 const std::string& path);
  bool copy_in_kernel(int from, int to, std::uint64_t& at, std::uint64_t end,
                      const std::string& path);

  bool can_share_ = true;
  bool can_copy_in_kernel_ = true;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace cbuild::builder
