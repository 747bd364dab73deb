// cbuild images: what is in the store.
#include <fnmatch.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/image_facts.h"
#include "cli/output.h"
#include "cli/template.h"
#include "registry/reference.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "-a,--all", Takes::nothing, "",
     "Images of all kinds (there are no others)"},
    {"Options", "--digests", Takes::nothing, "", "Show manifest digests"},
    {"Options", "--format", Takes::one, "FORMAT",
     "table, json, or a template such as '{{.Repository}}:{{.Tag}}'"},
    {"Options", "--no-trunc", Takes::nothing, "", "Whole image IDs"},
    {"Options", "-q,--quiet", Takes::nothing, "", "Only image IDs"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

// One line of the listing, before it is made text.
struct Entry {
  store::NamedImage named;
  ImageFacts facts;
};

// "debian" of "debian:12"; docker shows <none> for what is missing.
std::string repository(const store::NamedImage& named) {
  const auto name = registry::Reference::try_parse(named.name);
  return name ? name->familiar_name() : "<none>";
}

std::string tag(const store::NamedImage& named) {
  const auto name = registry::Reference::try_parse(named.name);
  return name ? name->tag().value_or("<none>") : "<none>";
}

bool matches(const store::NamedImage& named, const std::string& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& text :
       {repository(named), repository(named) + ":" + tag(named), named.name})
    if (::fnmatch(wanted.c_str(), text.c_str(), FNM_PATHNAME) == 0) return true;
  return false;
}

bool is_listed(const store::Store& store, const store::Digest& manifest) {
  const std::vector<store::NamedImage> images = store.images.list();
  return std::any_of(images.begin(), images.end(), [&](const auto& image) {
    return image.manifest.digest == manifest;
  });
}

std::vector<Entry> entries(store::Store& store, const std::string& wanted) {
  std::vector<Entry> result;
  ImageFactsTable table(store);
  for (store::NamedImage& named : store.images.list()) {
    if (!matches(named, wanted)) {
      table.keep(named.manifest);
      continue;
    }
    try {
      ImageFacts facts = table.of(named.manifest);
      result.push_back({std::move(named), std::move(facts)});
    } catch (const Error&) {
      // Removed since the list was read.
      if (is_listed(store, named.manifest.digest)) throw;
    }
  }
  table.save();
  // Newest first, as docker; RFC 3339 in UTC sorts as text.
  std::stable_sort(result.begin(), result.end(),
                   [](const Entry& a, const Entry& b) {
                     return a.facts.created > b.facts.created;
                   });
  return result;
}

// "2026-01-02 03:04:05 +0000 UTC", as Go prints a time.
std::string go_time(const std::string& rfc3339_time) {
  if (rfc3339_time.size() < 19) return "N/A";
  return rfc3339_time.substr(0, 10) + " " + rfc3339_time.substr(11, 8) +
         " +0000 UTC";
}

Row row_of(const Entry& entry, bool whole) {
  const store::Digest& id = entry.facts.config;
  const std::string size = short_size(entry.facts.bytes);
  return {
      {"Containers", "N/A"},
      {"CreatedAt", go_time(entry.facts.created)},
      {"CreatedSince", time_ago(entry.facts.created)},
      {"Digest", entry.named.manifest.digest.text()},
      {"ID", whole ? id.text() : id.hex().substr(0, 12)},
      {"Repository", repository(entry.named)},
      {"SharedSize", "N/A"},
      {"Size", size},
      {"Tag", tag(entry.named)},
      {"UniqueSize", "N/A"},
      {"VirtualSize", size},
  };
}

void run_images(Session& session) {
  const Arguments& args = session.args();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const std::string wanted = args.words().empty() ? "" : args.words().front();
  const bool whole = args.has("no-trunc");
  if (args.has("quiet")) {
    for (const Entry& entry : entries(store, wanted)) {
      const store::Digest& id = entry.facts.config;
      print((whole ? id.text() : id.hex().substr(0, 12)) + "\n");
    }
    return;
  }
  std::vector<Row> rows;
  for (const Entry& entry : entries(store, wanted))
    rows.push_back(row_of(entry, whole));
  std::vector<std::string> fields = {"Repository", "Tag", "ID", "CreatedSince",
                                     "Size"};
  std::vector<std::string> header = {"REPOSITORY", "TAG", "IMAGE ID", "CREATED",
                                     "SIZE"};
  if (args.has("digests")) {
    fields.insert(fields.begin() + 2, "Digest");
    header.insert(header.begin() + 2, "DIGEST");
  }
  print(format_rows(args.value("format"), fields, header, rows));
}

}  // namespace

const Command kImagesCommand = {
    "images",
    "[OPTIONS] [NAME[:TAG]]",
    "List images",
    R"(NAME may be a pattern: 'registry.example/*'.

Examples:
  cbuild images
  cbuild images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
)",
    kTable,
    0,
    1,
    run_images,
};

}  // namespace cbuild::cli
