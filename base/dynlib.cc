#include "base/dynlib.h"

#include <dlfcn.h>

#include "base/error.h"

namespace cbuild {

DynamicLibrary::DynamicLibrary(const char* soname, const char* debian_package)
    : handle_(::dlopen(soname, RTLD_NOW | RTLD_LOCAL)), soname_(soname) {
  if (handle_ == nullptr)
    throw Error("cannot load " + soname_ + " (Debian package " +
                debian_package + "): " + ::dlerror());
}

void* DynamicLibrary::symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) throw Error(soname_ + " has no function " + name);
  return found;
}

}  // namespace cbuild
