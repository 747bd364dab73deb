// cbuild save and cbuild load: images as tar archives.
#include <fcntl.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/find_image.h"
#include "cli/output.h"
#include "cli/result_file.h"
#include "registry/reference.h"
#include "store/archive.h"

namespace cbuild::cli {
namespace {

constexpr Flag kSaveFlags[] = {
    {"Options", "-o,--output", Takes::one, "FILE",
     "Write to FILE and not to standard output"},
    {"Options", "--format", Takes::one, "FORMAT",
     "docker-archive (default; also an OCI layout) or oci-archive"},
};
constexpr FlagTable kSaveTable = {{kSaveFlags, kGlobalFlags}};

constexpr Flag kLoadFlags[] = {
    {"Options", "-i,--input", Takes::one, "FILE",
     "Read FILE and not standard input"},
    {"Options", "-q,--quiet", Takes::nothing, "",
     "Accepted, and already so: no progress is shown"},
};
constexpr FlagTable kLoadTable = {{kLoadFlags, kGlobalFlags}};

store::ArchiveFormat archive_format(const std::string& word) {
  if (word == "docker-archive" || word == "docker")
    return store::ArchiveFormat::docker;
  if (word == "oci-archive" || word == "oci") return store::ArchiveFormat::oci;
  throw UsageError("invalid format " + go_quote(word) +
                   ": want docker-archive or oci-archive" +
                   did_you_mean(word, {"docker-archive", "oci-archive"}));
}

std::vector<store::SavedImage> images_to_save(store::Store& store,
                                              const Arguments& args) {
  std::vector<store::SavedImage> images;
  for (const std::string& word : args.words()) {
    const store::Descriptor found = find_image(store, word);
    const auto name = full_name(word);
    std::vector<std::string> names;
    if (name && store.images.find(*name))
      names.push_back(registry::Reference::parse(*name).familiar());
    // The same image under two names is in the archive once.
    bool known = false;
    for (store::SavedImage& image : images) {
      if (image.image.descriptor.digest != found.digest) continue;
      image.names.insert(image.names.end(), names.begin(), names.end());
      known = true;
    }
    if (!known) images.push_back({store.images.load(found), names});
  }
  return images;
}

void run_save(Session& session) {
  const Arguments& args = session.args();
  const std::string path = args.value("output");
  if (path.empty() && ::isatty(STDOUT_FILENO) == 1)
    throw UsageError(
        "cowardly refusing to save to a terminal: use -o FILE or redirect");
  const auto format = archive_format(args.value("format", "docker-archive"));
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const auto images = images_to_save(store, args);
  if (path.empty() || path == "-")
    store::save_archive(store, images, format, STDOUT_FILENO);
  else
    write_result_file(
        path, [&](int fd) { store::save_archive(store, images, format, fd); });
}

void run_load(Session& session) {
  const Arguments& args = session.args();
  const std::string path = args.value("input", "-");
  Fd file;
  if (path != "-") file = open_path(path, O_RDONLY);
  const int input = path == "-" ? STDIN_FILENO : file.get();
  if (::isatty(input) == 1)
    throw UsageError(
        "refusing to load from a terminal: use -i FILE or redirect");

  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const auto loaded = in_context(
      "load " + (path == "-" ? "standard input" : path),
      [&] { return store::load_archive(store, input, normalize_name); });
  store.sync();
  for (const store::LoadedImage& image : loaded) {
    store.images.tag(image.names, image.manifest);
    for (const store::ImageStore::Name& name : image.names)
      print("Loaded image: " + name.familiar + "\n");
    if (image.names.empty())
      print("Loaded image ID: " +
            store.images.load(image.manifest).manifest.config.digest.text() +
            "\n");
  }
}

}  // namespace

const Command kSaveCommand = {
    "save",
    "[OPTIONS] IMAGE [IMAGE...]",
    "Write images to a tar archive",
    R"(Examples:
  cbuild save -o app.tar app:1
  cbuild save --format oci-archive app | ssh host skopeo copy ...
)",
    kSaveTable,
    1,
    1 << 16,
    run_save,
};

const Command kLoadCommand = {
    "load",
    "[OPTIONS]",
    "Read images from a tar archive",
    R"(Reads what docker save, skopeo (docker-archive, oci-archive) and cbuild save
write, also compressed with gzip, zstd, bzip2 or xz.

Examples:
  cbuild load -i app.tar
  docker save app | cbuild load
)",
    kLoadTable,
    0,
    0,
    run_load,
};

}  // namespace cbuild::cli
