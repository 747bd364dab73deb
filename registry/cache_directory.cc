#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/dir.h"
#include "registry/cache_storage.h"

namespace cbuild::registry {
namespace {

constexpr std::size_t kBuffer = 1024 * 1024;

class DirectoryCache final : public CacheStorage {
 public:
  DirectoryCache(std::string directory, const std::string& tag)
      : directory_(std::move(directory)),
        records_(directory_ + "/records/" + tag),
        blobs_(directory_ + "/blobs/sha256") {}

  std::string name() const override { return "directory " + directory_; }

  std::optional<std::string> find(const store::Digest& key) override {
    return read_file(records_ + "/" + key.hex());
  }

  bool has(const store::Digest& key) override {
    return exists(records_ + "/" + key.hex());
  }

  void put(const store::Digest& key, const std::string& record,
           const std::vector<store::Descriptor>&) override {
    make_dirs(records_);
    publish(records_ + "/" + key.hex(), [&](int file, const std::string& path) {
      write_all(file, record, path);
    });
  }

  void fetch(store::Store& store, const store::Descriptor& layer) override {
    if (store.blobs.hold(layer.digest)) return;
    const std::string path = blob(layer);
    const Fd file = open_path(path, O_RDONLY);
    store::BlobWriter writer = store.blobs.writer();
    copy(file.get(), path, [&](std::string_view data) { writer.write(data); });
    writer.commit(layer.digest);
  }

  void send(store::Store& store, const store::Descriptor& layer) override {
    if (exists(blob(layer))) return;
    const auto from = store.blobs.open(layer.digest);
    if (!from)
      throw Error("layer " + layer.digest.short_text() +
                  " is not here to send");
    make_dirs(blobs_);
    publish(blob(layer), [&](int file, const std::string& path) {
      copy(from->get(), path,
           [&](std::string_view data) { write_all(file, data, path); });
    });
  }

 private:
  static bool exists(const std::string& path) {
    return lstat_at(AT_FDCWD, path).has_value();
  }

  std::string blob(const store::Descriptor& layer) const {
    return blobs_ + "/" + layer.digest.hex();
  }

  template <typename Sink>
  void copy(int from, const std::string& path, Sink&& sink) {
    std::string buffer(kBuffer, '\0');
    while (const std::size_t n =
               read_some(from, buffer.data(), buffer.size(), path)) {
      if (given_up()) throw Interrupted();
      sink(std::string_view(buffer).substr(0, n));
      moved();
    }
  }

  // Written under another name and renamed, since others read meanwhile.
  template <typename Write>
  void publish(const std::string& path, Write&& write) {
    std::string name = path + ".XXXXXX";
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    check(descriptor, "create", path);
    Fd file(descriptor);
    try {
      write(file.get(), name);
      check(::fchmod(file.get(), 0644), "chmod", name);
      file.close();
      check(::rename(name.c_str(), path.c_str()), "rename", path);
    } catch (...) {
      ::unlink(name.c_str());
      throw;
    }
  }

  std::string directory_;
  std::string records_;
  std::string blobs_;
};

}  // namespace

std::unique_ptr<CacheStorage> directory_cache(const std::string& directory,
                                              const std::string& tag) {
  return std::make_unique<DirectoryCache>(directory, tag);
}

}  // namespace cbuild::registry
