// Layers from tarballs made by hand, for tests.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "scratch.h"
#include "store/layer_store.h"
#include "store/tar.h"

namespace cbuild::store {

inline IndexEntry tar_entry(const std::string& path, EntryType type,
                            std::uint32_t mode = 0755) {
  IndexEntry entry;
  entry.path = path;
  entry.type = type;
  entry.mode = mode;
  entry.mtime_seconds = 1600000000;
  return entry;
}

struct TarFile {
  std::string bytes;
  TarWriter tar{[this](std::string_view data) { bytes += data; }};

  TarFile& file(const std::string& path, const std::string& content,
                std::uint32_t mode = 0644) {
    IndexEntry entry = tar_entry(path, EntryType::file, mode);
    entry.size = content.size();
    tar.add(entry);
    tar.write(content);
    return *this;
  }
  TarFile& dir(const std::string& path, std::uint32_t mode = 0755) {
    tar.add(tar_entry(path, EntryType::directory, mode));
    return *this;
  }
  TarFile& link(const std::string& path, const std::string& target,
                EntryType type) {
    IndexEntry entry = tar_entry(path, type);
    entry.target = target;
    tar.add(entry);
    return *this;
  }
  std::string take() {
    tar.finish();
    return bytes;
  }
};

inline LayerId load(Store& store, const std::string& tar) {
  const Digest digest = store.blobs.put(tar);
  return store.layers.add_blob(digest, digest, tar.size(), Compression::none);
}

inline std::string content(const std::string& path) {
  return read_file(path).value_or("(absent)");
}

inline bool root() { return ::geteuid() == 0; }

inline LayerIndex scan(const std::string& tree) {
  const Fd fd = open_path(tree, O_RDONLY | O_DIRECTORY);
  return scan_tree(fd.get(), {}, 1);
}

}  // namespace cbuild::store
