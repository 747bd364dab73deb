// A store in a directory that goes away with the test.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/dir.h"
#include "store/store.h"

namespace cbuild::store {

inline std::string scratch_parent() {
  const char* tmp = std::getenv("TMPDIR");
  return tmp != nullptr ? tmp : "/tmp";
}

struct Scratch {
  TempDir dir{scratch_parent(), "cbuild-store-test-"};
  std::string root = dir.path() + "/root";
};

struct ScratchStore : Scratch {
  Store store{root};
};

// As adopt() wants them.
inline EntrySource entries_of(LayerIndex index) {
  return [index = std::move(index)](const EntrySink& take) {
    for (const IndexEntry& entry : index.entries) take(IndexEntry(entry));
  };
}

inline void write_file(const std::string& path, std::string_view data,
                       unsigned mode = 0644) {
  Fd out = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  write_all(out.get(), data, path);
  out.close();
}

// Standard output of a shell command; its exit code into `code`.
inline std::string run(const std::string& command, int* code = nullptr) {
  std::string out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    out.append(buffer, n);
  const int status = ::pclose(pipe);
  if (code != nullptr) *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

inline bool have_tool(const std::string& name) {
  int code = 1;
  run("command -v " + name, &code);
  return code == 0;
}

}  // namespace cbuild::store
