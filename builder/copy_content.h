// Copying the content of one file, as cheaply as the file systems allow.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

namespace cbuild::builder {

// Remembers what the two file systems cannot do. One thread.
class ContentCopier {
 public:
  // Copies all of `from` (at its start, `size` bytes by the listing it was
  // found in) to the empty file `to`: shared extents where possible, else in
  // the kernel; holes stay holes. Throws Error where the file is not `size`
  // bytes any more, so that no short file gets into a layer.
  void copy(int from, int to, std::uint64_t size, const std::string& path);

 private:
  void copy_extents(int from, int to, const struct stat& st,
                    const std::string& path);
  bool share(int from, int to);
  void copy_range(int from, int to, std::uint64_t begin, std::uint64_t end,
                  const std::string& path);
  bool copy_in_kernel(int from, int to, std::uint64_t& at, std::uint64_t end,
                      const std::string& path);

  bool can_share_ = true;
  bool can_copy_in_kernel_ = true;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace cbuild::builder
