// A shared library that is loaded when it is first used.
//
// libcurl and libarchive bring some fifty libraries with them, and loading
// those costs more than a whole cached build. So they are not linked: their
// one wrapper file each looks its functions up here.
#pragma once

#include <string>

namespace cbuild {

// Loaded for the life of the process. The constructor throws Error, naming the
// Debian package, where the library is missing.
class DynamicLibrary {
 public:
  DynamicLibrary(const char* soname, const char* debian_package);

  // The function `name`, typed by its declaration:
  //   auto* easy_init =
  //   curl.function<decltype(&curl_easy_init)>("curl_easy_init");
  template <typename Function>
  Function function(const char* name) const {
    return reinterpret_cast<Function>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;

  void* handle_;
  std::string soname_;
};

}  // namespace cbuild
