// A library for LD_PRELOAD that makes the program's N-th change of a file system
// go wrong:
//
//   FAULT_AT=N            counted from 1, over all threads
//   FAULT_KIND=kill       SIGKILL in place of the call
//              torn       a write() does half, then SIGKILL; others as kill
//              enospc     the call fails with ENOSPC
//   FAULT_COUNT=FILE      written at exit: how many changes there were
//
// Changes are calls that create, write, rename, link, remove or sync, on
// anything but standard output and standard error.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> changes{0};

long fault_at() {
  static const long at = [] {
    const char* text = std::getenv("FAULT_AT");
    return text == nullptr ? 0 : std::atol(text);
  }();
  return at;
}

bool kind_is(const char* kind) {
  const char* text = std::getenv("FAULT_KIND");
  return text != nullptr && std::strcmp(text, kind) == 0;
}

// True where this change is to fail with ENOSPC.
bool fails() {
  if (++changes != fault_at()) return false;
  if (!kind_is("enospc")) ::kill(::getpid(), SIGKILL);
  errno = ENOSPC;
  return true;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Count {
  ~Count() {
    const char* path = std::getenv("FAULT_COUNT");
    if (path == nullptr) return;
    if (FILE* file = std::fopen(path, "w")) {
      std::fprintf(file, "%ld\n", changes.load());
      std::fclose(file);
    }
  }
} count;

unsigned mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

}  // namespace

extern "C" {

#define FAULT_OPEN(NAME)                                                \
  int NAME(const char* path, int flags, ...) {                          \
    va_list list;                                                       \
    va_start(list, flags);                                              \
    const unsigned mode = mode_of(flags, list);                         \
    va_end(list);                                                       \
    static auto* real = next<int(const char*, int, ...)>(#NAME);        \
    return (flags & O_CREAT) != 0 && fails() ? -1                       \
                                             : real(path, flags, mode); \
  }
#define FAULT_OPENAT(NAME)                                                   \
  int NAME(int dir, const char* path, int flags, ...) {                      \
    va_list list;                                                            \
    va_start(list, flags);                                                   \
    const unsigned mode = mode_of(flags, list);                              \
    va_end(list);                                                            \
    static auto* real = next<int(int, const char*, int, ...)>(#NAME);        \
    return (flags & O_CREAT) != 0 && fails() ? -1                            \
                                             : real(dir, path, flags, mode); \
  }
FAULT_OPEN(open)
FAULT_OPEN(open64)
FAULT_OPENAT(openat)
FAULT_OPENAT(openat64)

ssize_t write(int fd, const void* data, size_t size) {
  static auto* real = next<ssize_t(int, const void*, size_t)>("write");
  if (fd == 1 || fd == 2) return real(fd, data, size);
  if (changes + 1 == fault_at() && kind_is("torn")) real(fd, data, size / 2);
  return fails() ? -1 : real(fd, data, size);
}

#define FAULT_CALL(TYPE, NAME, PARAMETERS, ARGUMENTS) \
  TYPE NAME PARAMETERS {                              \
    static auto* real = next<TYPE PARAMETERS>(#NAME); \
    return fails() ? TYPE(-1) : real ARGUMENTS;       \
  }
FAULT_CALL(ssize_t, pwrite, (int f, const void* d, size_t n, off_t o),
           (f, d, n, o))
FAULT_CALL(ssize_t, pwrite64, (int f, const void* d, size_t n, off64_t o),
           (f, d, n, o))
FAULT_CALL(ssize_t, writev, (int f, const iovec* v, int n), (f, v, n))
FAULT_CALL(ssize_t, copy_file_range,
           (int a, off64_t* b, int c, off64_t* d, size_t n, unsigned f),
           (a, b, c, d, n, f))
FAULT_CALL(int, rename, (const char* a, const char* b), (a, b))
FAULT_CALL(int, renameat, (int d, const char* a, int e, const char* b),
           (d, a, e, b))
FAULT_CALL(int, renameat2,
           (int d, const char* a, int e, const char* b, unsigned f),
           (d, a, e, b, f))
FAULT_CALL(int, mkdir, (const char* p, mode_t m), (p, m))
FAULT_CALL(int, mkdirat, (int d, const char* p, mode_t m), (d, p, m))
FAULT_CALL(int, link, (const char* a, const char* b), (a, b))
FAULT_CALL(int, linkat, (int d, const char* a, int e, const char* b, int f),
           (d, a, e, b, f))
FAULT_CALL(int, symlink, (const char* a, const char* b), (a, b))
FAULT_CALL(int, symlinkat, (const char* a, int d, const char* b), (a, d, b))
FAULT_CALL(int, mknodat, (int d, const char* p, mode_t m, dev_t v),
           (d, p, m, v))
FAULT_CALL(int, unlink, (const char* p), (p))
FAULT_CALL(int, unlinkat, (int d, const char* p, int f), (d, p, f))
FAULT_CALL(int, rmdir, (const char* p), (p))
FAULT_CALL(int, ftruncate, (int f, off_t n), (f, n))
FAULT_CALL(int, fchmod, (int f, mode_t m), (f, m))
FAULT_CALL(int, fchown, (int f, uid_t u, gid_t g), (f, u, g))
FAULT_CALL(int, fsync, (int f), (f))
FAULT_CALL(int, fdatasync, (int f), (f))
FAULT_CALL(int, syncfs, (int f), (f))
}
