// Names of images: the index.json of the OCI layout that the store is.
//
// A name is a normalised reference with a tag ("docker.io/library/app:1"),
// kept in the annotation org.opencontainers.image.ref.name in its familiar form
// ("app:1"), so that `skopeo inspect oci:<root>:app:1` works in place, and in
// io.cbuild.image.name in full. An image that lost its last name stays as an
// entry without one until it is pruned ("dangling"). Updates take an OFD lock
// on <root>/locks/index and replace the file by rename. Any number of
// processes may read and write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/blob_store.h"
#include "store/image.h"

namespace cbuild::store {

struct NamedImage {
  std::string name;      // full reference with tag; empty for a dangling image
  std::string familiar;  // short form of `name`
  Descriptor manifest;
};

// A manifest together with its config.
struct Image {
  Descriptor descriptor;  // of the manifest
  Manifest manifest;
  ImageConfig config;
};

class ImageStore {
 public:
  ImageStore(const std::string& root, BlobStore& blobs);

  std::vector<NamedImage> list() const;

  // By full name, or nullopt.
  std::optional<Descriptor> find(const std::string& name) const;

  // By image id (config digest) or manifest digest, or a unique prefix of at
  // least 4 hex digits, with or without "sha256:". Throws Error if ambiguous.
  std::optional<Descriptor> find_by_id(std::string_view id) const;

  // Reads manifest and config (through an index to `platform`, the host's if
  // empty). A lease of this process keeps all of the image. Throws Error where a blob is absent or damaged.
  Image load(const Descriptor& descriptor,
             std::optional<Platform> platform = {}) const;

  // As load(), but nullopt where a document is absent or damaged.
  std::optional<Image> try_load(const Descriptor& descriptor,
                                std::optional<Platform> platform = {}) const;

  // For whoever is about to make or to name the image: as load() holds it.
  void hold(const Descriptor& manifest) const;

  // Points each name at `manifest`, all in one update; an image that loses its
  // last name becomes dangling. No names: adds it as dangling.
  struct Name {
    std::string full;
    std::string familiar;
  };
  void tag(const std::vector<Name>& names, const Descriptor& manifest);

  // Removes the name; returns false where there was none.
  bool untag(const std::string& name);
  // Removes every entry of the manifest, named or not.
  void remove(const Digest& manifest);

  // Remembers what a remote reference and platform resolved to when it was last
  // asked, apart from the image names: <root>/refs/<sha256 of both>. A cached
  // build asks this and not the registry.
  void remember(const std::string& reference, const Platform& platform,
                const Descriptor& manifest);
  std::optional<Descriptor> recall(const std::string& reference,
                                   const Platform& platform) const;
  // Every remembered manifest; prune keeps the recent ones.
  std::vector<Descriptor> remembered() const;
  // Forgets what was neither remembered nor recalled since `seconds` (of the
  // epoch; exact to a day) and returns how many there were.
  std::size_t forget_older(std::int64_t seconds);

 private:
  std::string root_;
  BlobStore& blobs_;
  std::shared_ptr<Staging> staging_;
  std::shared_ptr<Leases> leases_;
};

// The full form of a familiar name with tag: "app:1" is
// "docker.io/library/app:1". For names that other programs left in index.json;
// whatever a user types goes through registry/reference.h.
std::string full_name(const std::string& familiar);

}  // namespace cbuild::store
