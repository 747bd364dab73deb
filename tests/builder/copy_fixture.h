// Trees on disk for the tests of COPY and ADD, and their descriptions.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/dir.h"
#include "builder/copy_files.h"
#include "store/merged_index.h"

namespace cbuild::builder::testing {

// Warns and returns false where the tests cannot own files by others.
bool have_root();

// A file, directory or link to be made.
struct Node {
  std::string path;   // one that ends in '/' is a directory
  std::string text;   // content, or a link's target after "-> "
  unsigned mode = 0;  // 0: 0644, directories 0755
  unsigned uid = 0;
  unsigned gid = 0;
};

constexpr std::int64_t kMtime = 1700000000;

// Below `root`, in order, parents made as needed; times are kMtime.
void plant(const std::string& root, const std::vector<Node>& nodes);

// Path -> "d 755 0:0", "f 644 0:0 text", "l 0:0 -> target", "p 644 0:0".
std::map<std::string, std::string> describe(const std::string& root);

// A context, a destination and a stat table that go away with the test.
struct CopyWorld {
  TempDir dir;
  std::string context;
  std::string destination;
  std::vector<std::string> ignore;

  CopyWorld();

  FileView view() const;
  // COPY or ADD from the context into the destination.
  void run(const CopySpec& spec) const;
  // COPY --from: what the directory `tree` holds, seen as layers.
  void run_from(const std::string& tree, const CopySpec& spec) const;
  store::KeyInputs key(const CopySpec& spec) const;
  std::map<std::string, std::string> made() const {
    return describe(destination);
  }
};

FileView layers_of(const std::string& tree);

CopySpec copy_spec(std::vector<std::string> sources, std::string destination);
CopySpec add_spec(std::vector<std::string> sources, std::string destination);

// what() of the Error that `body` throws; "" if it throws none.
template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace cbuild::builder::testing
