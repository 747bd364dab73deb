// What http(s) URLs gave, kept in the store.
//
//   <root>/web/urls/<hash>           digest, size, ETag, Last-Modified of a URL
//   <root>/web/files/<hash>/<name>   a file, mode 0600, never changed; its time
//                                    is Last-Modified, else the epoch
//
// Both are published by rename. A record whose file is not there whole counts
// as none. Thread-safe; throws SystemError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "store/store.h"

namespace cbuild::builder {

struct WebCopy {
  store::Digest digest;
  std::uint64_t size = 0;  // bytes
  std::string etag;
  std::string last_modified;

  // Last-Modified in seconds, where it can be read.
  std::optional<std::int64_t> time() const;
};

class WebStore {
 public:
  explicit WebStore(store::Store& store) : store_(store) {}

  // What `url` gave last, under this name.
  std::optional<WebCopy> find(const std::string& url,
                              const std::string& name) const;

  // Publishes the directory `staged`, which holds the written `file` alone.
  void put(const std::string& url, const std::string& name, const WebCopy& copy,
           const std::string& staged, Fd file) const;

  // Holds the file and nothing else.
  std::string directory(const std::string& name, const WebCopy& copy) const;

 private:
  void hold(const std::string& place) const;

  store::Store& store_;
};

}  // namespace cbuild::builder
