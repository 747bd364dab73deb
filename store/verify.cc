#include "store/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "base/dir.h"
#include "base/error.h"
#include "base/workers.h"
#include "store/damage.h"
#include "store/index_json.h"
#include "store/layer_io.h"
#include "store/layer_meta.h"

namespace cbuild::store {
namespace {

using Kind = Problem::Kind;

class Verifier {
 public:
  Verifier(Store& store, const VerifyOptions& options)
      : store_(store), options_(options) {}

  // Each relies on those before: a name needs its blobs.
  VerifyReport run() {
    blobs();
    layers();
    records();
    names();
    references();
    std::stable_sort(report_.problems.begin(), report_.problems.end(),
                     [](const Problem& a, const Problem& b) {
                       return std::pair(a.kind, a.subject) <
                              std::pair(b.kind, b.subject);
                     });
    return std::move(report_);
  }

 private:
  void blobs();
  void blob(const Digest& digest);
  void layers();
  void layer(const LayerId& id);
  std::string wrong_with(const LayerId& id);
  std::string mend_layer(const LayerId& id);
  void records();
  std::vector<NamedImage> images();
  void names();
  std::string wrong_with(const Descriptor& manifest);
  std::string mend_image(const NamedImage& image);
  void remake_tarballs(const Image& image);
  void references();

  template <typename Body>
  void listening(Kind kind, Body&& body);

  void check_stop() const {
    if (options_.stop != nullptr && *options_.stop) throw Interrupted();
  }
  void count(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    report_.bytes += bytes;
  }
  void say(Kind kind, std::string subject, std::string what,
           std::string repair) {
    const std::lock_guard lock(mutex_);
    report_.problems.push_back(
        {kind, std::move(subject), std::move(what), std::move(repair)});
  }

  Store& store_;
  const VerifyOptions& options_;
  std::mutex mutex_;  // guards the report while workers run
  VerifyReport report_;
};

void Verifier::blob(const Digest& digest) {
  check_stop();
  const auto size = store_.blobs.size(digest);
  if (!size) return;  // removed meanwhile
  count(*size);
  if (store_.blobs.verify(digest)) return;
  if (options_.repair) store_.blobs.remove(digest);
  say(Kind::blob, digest.text(), "has other bytes than its name says",
      options_.repair ? "removed" : "");
}

void Verifier::blobs() {
  const std::vector<Digest> all = store_.blobs.list();
  report_.blobs = all.size();
  Workers workers(options_.threads);
  for (const Digest& digest : all)
    workers.submit([this, digest] { blob(digest); });
  workers.wait();
}

// The first thing that is wrong, or nothing.
std::string Verifier::wrong_with(const LayerId& id) {
  const std::string directory = store_.layers.directory(id);
  const LayerMeta meta = read_meta(directory);
  const auto stored = read_file(directory + "/index");
  if (!stored && !store_.layers.has_tree(id)) return {};  // not unpacked yet
  if (!stored) return "has no index";
  const auto index = deserialize(*stored);
  if (!index) return "has a damaged index";
  count(index->total_size());
  for (const LayerBlob& blob : meta.blobs) {
    const std::optional<Fd> file = store_.blobs.open(blob.digest);
    // One that is damaged was said to be, as a blob.
    if (!file || !store_.blobs.verify(blob.digest)) continue;
    const LayerContent content =
        read_layer(file_source(file->get(), blob.digest.text()), kNoTree);
    if (content.diff_id != blob.diff_id)
      return "has a tarball " + blob.digest.short_text() +
             " with another diffID";
  }
  if (!store_.layers.has_tree(id)) return {};
  const Fd tree = open_path(directory + "/tree", O_RDONLY | O_DIRECTORY);
  const auto problems = compare_tree(*index, tree.get(), meta.implied, 1);
  if (problems.empty()) return {};
  const std::string more =
      problems.size() == 1
          ? ""
          : " (and " + std::to_string(problems.size() - 1) + " more)";
  return "its tree " + problems.front() + more;
}

// An index can be had from a tarball, and a pulled layer is unpacked again when
// it is wanted. Of one that a step made the tree may be all there is.
std::string Verifier::mend_layer(const LayerId& id) {
  const std::string index = store_.layers.directory(id) + "/index";
  if (store_.layers.recorded_blob(id)) {
    ::unlink(index.c_str());
    try {
      store_.layers.index(id);
      if (wrong_with(id).empty()) return "its index was made again";
    } catch (const SystemError&) {
      throw;
    } catch (const Error&) {
      // Without a good tarball the layer goes.
    }
  }
  store_.layers.remove(id);
  return "removed";
}

void Verifier::layer(const LayerId& id) {
  check_stop();
  std::string what;
  try {
    what = wrong_with(id);
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    what = e.what();
  }
  if (what.empty()) return;
  say(Kind::layer, id, what, options_.repair ? mend_layer(id) : "");
}

void Verifier::layers() {
  const std::vector<LayerId> all = store_.layers.list();
  report_.layers = all.size();
  Workers workers(options_.threads);
  for (const LayerId& id : all) workers.submit([this, id] { layer(id); });
  workers.wait();
}

// Runs `body` and takes what it says is damaged for problems: records,
// references and index.json are mended by whoever reads them.
template <typename Body>
void Verifier::listening(Kind kind, Body&& body) {
  struct Listener {
    DamageHandler before;
    ~Listener() { on_damage(std::move(before)); }
  };
  const Listener listener{on_damage(
      [&](const std::string& sentence) { say(kind, "", sentence, "mended"); })};
  body();
}

void Verifier::records() {
  std::vector<StepRecord> records;
  listening(Kind::record, [&] { records = store_.steps.list(); });
  report_.records = records.size();
  std::set<LayerId> there;
  for (const StepRecord& record : records) {
    check_stop();
    const std::vector<LayerId> layers = record.layers.ids();
    const auto gone =
        std::find_if(layers.begin(), layers.end(), [&](const LayerId& id) {
          if (there.contains(id)) return false;
          if (!store_.layers.exists(id)) return true;
          there.insert(id);
          return false;
        });
    if (gone == layers.end()) continue;
    if (options_.repair) store_.steps.remove(record.key);
    say(Kind::record, record.key.hex(),
        "names layer " + gone->substr(0, 12) + ", which is not there",
        options_.repair ? "removed" : "");
  }
}

// Every document and tarball of the image must be here; of an index: of those
// images that are.
std::string Verifier::wrong_with(const Descriptor& manifest) {
  if (!store_.blobs.size(manifest.digest))
    return "its manifest " + manifest.digest.short_text() + " is not there";
  if (is_index(manifest.media_type)) {
    const auto text = store_.blobs.read(manifest.digest);
    if (!text) return "its image index is damaged";
    for (const Descriptor& entry : parse_index(*text).manifests)
      if (store_.blobs.size(entry.digest))
        if (std::string what = wrong_with(entry); !what.empty()) return what;
    return {};
  }
  const auto text = store_.blobs.read(manifest.digest);
  if (!text) return "its manifest is damaged";
  const Manifest parsed = parse_manifest(*text);
  if (!store_.blobs.size(parsed.config.digest))
    return "its config " + parsed.config.digest.short_text() + " is not there";
  for (const Descriptor& layer : parsed.layers)
    if (store_.blobs.size(layer.digest) != layer.size)
      return "its layer " + layer.digest.short_text() + " is not there";
  return {};
}

// Packs layers that a step made again, where that gives the bytes they had.
void Verifier::remake_tarballs(const Image& image) {
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const Descriptor& blob = image.manifest.layers[i];
    const LayerId id = store_.layers.id_of(image.config.diff_ids.at(i));
    if (store_.blobs.size(blob.digest) || !store_.layers.has_tree(id)) continue;
    for (const bool fast : {false, true}) {
      const LayerBlob made = store_.layers.tarball(
          id, {.compression = compression_of(blob.media_type),
               .force = true,
               .fast = fast,
               .threads = options_.threads});
      if (made.digest == blob.digest) break;
      store_.blobs.remove(made.digest);
    }
  }
}

std::string Verifier::mend_image(const NamedImage& image) {
  try {
    if (const auto loaded = store_.images.try_load(image.manifest))
      remake_tarballs(*loaded);
    if (wrong_with(image.manifest).empty()) return "packed again";
  } catch (const SystemError&) {
    throw;
  } catch (const Error&) {
    // What cannot be read cannot be made again either.
  }
  store_.images.remove(image.manifest.digest);
  return "removed: pull or build it again";
}

std::vector<NamedImage> Verifier::images() {
  try {
    std::vector<NamedImage> images;
    listening(Kind::name, [&] { images = store_.images.list(); });
    return images;
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    if (options_.repair)
      write_index_json(
          store_.root(),
          {.media_type = media::kOciIndex, .manifests = {}, .annotations = {}});
    say(Kind::name, "index.json", e.what(),
        options_.repair ? "made anew: all names are lost" : "");
    return {};
  }
}

void Verifier::names() {
  for (const NamedImage& image : images()) {
    check_stop();
    ++report_.names;
    std::string what;
    try {
      what = wrong_with(image.manifest);
    } catch (const SystemError&) {
      throw;
    } catch (const Error& e) {
      what = e.what();
    }
    if (what.empty()) continue;
    say(Kind::name,
        image.name.empty() ? image.manifest.digest.text() : image.familiar,
        what, options_.repair ? mend_image(image) : "");
  }
}

void Verifier::references() {
  listening(Kind::reference, [&] { store_.images.remembered(); });
}

}  // namespace

VerifyReport verify(Store& store, const VerifyOptions& options) {
  VerifyReport found;
  {
    const Lease lease = store.lease();
    const Leases::Looking looking(store.leases());  // prune waits
    VerifyOptions look = options;
    look.repair = false;
    found = Verifier(store, look).run();
  }
  const bool mended =
      std::all_of(found.problems.begin(), found.problems.end(),
                  [](const Problem& p) { return !p.repair.empty(); });
  if (!options.repair || mended) return found;
  const std::optional<FileLock> alone = store.leases().sole_use();
  if (!alone) {
    found.busy = true;
    return found;
  }
  // What was dropped because it was read is not found again.
  VerifyReport report = Verifier(store, options).run();
  std::erase_if(found.problems,
                [](const Problem& p) { return p.repair.empty(); });
  report.problems.insert(report.problems.begin(), found.problems.begin(),
                         found.problems.end());
  return report;
}

}  // namespace cbuild::store
