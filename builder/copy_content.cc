#include "builder/copy_content.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/cgroups.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/writeback.h"
#include "store/content_digest.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kBufferSize = 128 * 1024;
constexpr std::uint64_t kPart = std::uint64_t{16} << 20;

[[noreturn]] void throw_changed(const std::string& path) {
  throw Error("/" + path + " changed while it was copied");
}

// Where data begins at or after `at`; the file's size if there is none.
std::uint64_t next_data(int fd, std::uint64_t at, std::uint64_t size,
                        const std::string& path) {
  const off_t found = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
  if (found == -1 && errno == ENXIO) return size;
  return static_cast<std::uint64_t>(check(found, "seek in", path));
}

std::uint64_t next_hole(int fd, std::uint64_t at, const std::string& path) {
  return static_cast<std::uint64_t>(
      check(::lseek(fd, static_cast<off_t>(at), SEEK_HOLE), "seek in", path));
}

void pwrite_all(int fd, const char* data, std::size_t size, std::uint64_t at,
                const std::string& path) {
  while (size > 0) {
    const ssize_t n = ::pwrite(fd, data, size, static_cast<off_t>(at));
    if (n == -1 && errno == EINTR) continue;
    const auto done = static_cast<std::size_t>(check(n, "write", "/" + path));
    data += done;
    size -= done;
    at += done;
  }
}

}  // namespace

bool ContentCopier::share(int from, int to) {
  if (!can_share_) return false;
  if (::ioctl(to, FICLONE, from) == 0) return true;
  if (errno == ENOSPC || errno == EDQUOT) throw_system_error("write", "");
  can_share_ = false;
  return false;
}

// False where the kernel cannot; `at` then says how far it got.
bool ContentCopier::copy_in_kernel(int from, int to, std::uint64_t& at,
                                   std::uint64_t end, const std::string& path) {
  while (can_copy_in_kernel_ && at < end) {
    auto in = static_cast<off_t>(at);
    auto out = static_cast<off_t>(at);
    const ssize_t n = ::copy_file_range(from, &in, to, &out, end - at, 0);
    if (n > 0) {
      at += static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      return false;  // shorter than thought, or a file system that says so
    } else if (errno == ENOSPC || errno == EDQUOT) {
      throw_system_error("write", "/" + path);
    } else if (errno != EINTR) {
      can_copy_in_kernel_ = false;
    }
  }
  return at == end;
}

// In parts: the disk begins with the first while the next is copied.
void ContentCopier::copy_range(int from, int to, std::uint64_t begin,
                               std::uint64_t end, const std::string& path) {
  std::uint64_t started = begin;
  while (begin < end) {
    const std::uint64_t until = std::min(begin + kPart, end);
    copy_part(from, to, begin, until, path);
    begin = until;
    started = start_writeback(to, started, begin);
  }
}

void ContentCopier::copy_part(int from, int to, std::uint64_t begin,
                              std::uint64_t end, const std::string& path) {
  std::uint64_t at = begin;
  if (copy_in_kernel(from, to, at, end, path)) return;
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferSize);
  while (at < end) {
    const auto want = static_cast<std::size_t>(
        std::min<std::uint64_t>(end - at, kBufferSize));
    const ssize_t n =
        ::pread(from, buffer_.get(), want, static_cast<off_t>(at));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", path) == 0) throw_changed(path);
    pwrite_all(to, buffer_.get(), static_cast<std::size_t>(n), at, path);
    at += static_cast<std::uint64_t>(n);
  }
}

std::optional<store::Digest> ContentCopier::copy(
    int from, int to, const ViewEntry& entry, const std::string& path,
    const std::optional<store::Digest>& settled) {
  struct stat st;
  check(::fstat(from, &st), "stat", path);
  const auto size = static_cast<std::uint64_t>(st.st_size);
  // A context's entry says which file it was, one of layers does not.
  const bool listed =
      entry.identity == FileIdentity{} || entry.identity == identity_of(st);
  if (!S_ISREG(st.st_mode) || size != entry.size || !listed)
    throw_changed(path);
  std::optional<store::Digest> written;
  if (size <= kSmall)
    written = copy_small(from, to, size, path);
  else if (!share(from, to))
    copy_large(from, to, st, path);
  struct stat after;
  check(::fstat(from, &after), "stat", path);
  if (identity_of(after) != identity_of(st)) throw_changed(path);
  if (written || settled) return written ? written : settled;
  if (size < store::kLargeContent) return {};
  return store::content_digest(to, size, "/" + path, usable_cpus());
}

store::Digest ContentCopier::copy_small(int from, int to, std::uint64_t size,
                                        const std::string& path) {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferSize);
  std::uint64_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(from, buffer_.get() + have, size - have,
                              static_cast<off_t>(have));
    if (n == -1 && errno == EINTR) continue;
    if (check(n, "read", path) == 0) throw_changed(path);
    have += static_cast<std::uint64_t>(n);
  }
  pwrite_all(to, buffer_.get(), size, 0, path);
  return store::content_digest({buffer_.get(), size});
}

void ContentCopier::copy_large(int from, int to, const struct stat& st,
                               const std::string& path) {
  const auto size = static_cast<std::uint64_t>(st.st_size);
  if (static_cast<std::uint64_t>(st.st_blocks) * 512 < size)
    copy_extents(from, to, size, path);
  else
    copy_range(from, to, 0, size, path);
}

// The holes stay holes.
void ContentCopier::copy_extents(int from, int to, std::uint64_t size,
                                 const std::string& path) {
  std::uint64_t at = next_data(from, 0, size, path);
  while (at < size) {
    const std::uint64_t end = std::min(next_hole(from, at, path), size);
    copy_range(from, to, at, end, path);
    at = next_data(from, end, size, path);
  }
  check(::ftruncate(to, static_cast<off_t>(size)), "write", path);
}

}  // namespace cbuild::builder
