// cbuild tag and cbuild rmi: names of images.
#include "base/log.h"
#include "cli/command.h"
#include "cli/find_image.h"
#include "cli/output.h"
#include "registry/reference.h"
#include "store/prune.h"

namespace cbuild::cli {
namespace {

using registry::Reference;

constexpr FlagTable kTagTable = {{kGlobalFlags}};

constexpr Flag kRmiFlags[] = {
    {"Options", "-f,--force", Takes::nothing, "",
     "Remove all names of an image given by ID; no error for unknown images"},
};
constexpr FlagTable kRmiTable = {{kRmiFlags, kGlobalFlags}};

void run_tag(Session& session) {
  const std::vector<std::string>& words = session.args().words();
  const Reference target = Reference::parse(words[1]);
  if (target.digest())
    throw UsageError("refusing to create a tag with a digest reference");
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const store::Descriptor image = find_image(store, words[0]);
  store.images.load(image);  // from here on prune keeps it
  store.images.tag({normalize_name(words[1])}, image);
}

std::vector<store::NamedImage> names_of(const store::Store& store,
                                        const store::Digest& manifest) {
  std::vector<store::NamedImage> names;
  for (store::NamedImage& image : store.images.list())
    if (image.manifest.digest == manifest && !image.name.empty())
      names.push_back(std::move(image));
  return names;
}

void print_removed(const std::vector<store::NamedImage>& names,
                   const std::string& id, bool last) {
  for (const store::NamedImage& named : names)
    print("Untagged: " + named.familiar + "\n");
  if (last) print("Deleted: " + id + "\n");
}

void remove_image(store::Store& store, const std::string& word, bool force) {
  const store::Descriptor image = find_image(store, word);
  const std::string id = store.images.load(image).manifest.config.digest.text();
  const auto names = names_of(store, image.digest);
  const auto name = full_name(word);
  if (name && store.images.find(*name)) {
    store::remove_name(store, *name);
    print_removed({{*name, Reference::parse(*name).familiar(), image}}, id,
                  names.size() <= 1);
    return;
  }
  if (names.size() > 1 && !force)
    throw Error("conflict: unable to delete " + word +
                " (must be forced) - image is referenced in multiple "
                "repositories");
  store::remove_image(store, image.digest);
  print_removed(names, id, true);
}

bool is_known(const store::Store& store, const std::string& word) {
  const auto name = full_name(word);
  return (name && store.images.find(*name)) || store.images.find_by_id(word);
}

void run_rmi(Session& session) {
  const bool force = session.args().has("force");
  store::Store& store = session.store();
  std::string failures;
  for (const std::string& word : session.args().words()) {
    if (force && !is_known(store, word)) continue;
    try {
      remove_image(store, word, force);
    } catch (const SystemError&) {
      throw;
    } catch (const Error& e) {
      // The other images are removed all the same, as docker does.
      failures +=
          (failures.empty() ? "" : "\ncbuild: ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Error(failures);
}

}  // namespace

const Command kTagCommand = {
    "tag",
    "IMAGE NAME[:TAG]",
    "Give an image another name",
    "",
    kTagTable,
    2,
    2,
    run_tag,
};

const Command kRmiCommand = {
    "rmi",
    "[OPTIONS] IMAGE [IMAGE...]",
    "Remove images",
    R"(An image goes with its last name. Layers that cached steps name stay, so that a
build still finds them; cbuild prune removes those.
)",
    kRmiTable,
    1,
    1 << 16,
    run_rmi,
};

}  // namespace cbuild::cli
