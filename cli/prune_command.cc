// cbuild prune: disk space back.
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "cli/prune_filter.h"
#include "cli/values.h"
#include "store/prune.h"
#include "store/remove_store.h"

namespace cbuild::cli {
namespace {

constexpr const char* kSure = "Are you sure you want to continue? [y/N] ";
constexpr std::int64_t kDefaultAge = 7 * 24 * 3600;  // seconds

constexpr Flag kFlags[] = {
    {"Options", "-a,--all", Takes::nothing, "",
     "All cached steps and cache mounts, however recently used"},
    {"Options", "--images", Takes::nothing, "",
     "Images with a name too: the store is left empty but for the cache"},
    {"Options", "--store", Takes::nothing, "",
     "Everything: the store itself, named images too"},
    {"Options", "--until", Takes::one, "TIME",
     "Only what was not used for TIME: 24h, 30m, 10d"},
    {"Options", "--filter", Takes::many, "FILTER",
     "Only what of the cache is so: type=exec.cachemount, description~=RUN; "
     "see "
     "below"},
    {"Options", "--max,--max-used-space", Takes::one, "SIZE",
     "Remove the oldest only until the store is this small: 20g, 50%"},
    {"Options", "--min-free,--min-free-space", Takes::one, "SIZE",
     "Remove the oldest only until this much of the disk is free"},
    {"Options", "--keep-storage,--reserved-space", Takes::one, "SIZE",
     "Never make the store smaller than this; alone, make it this small"},
    {"Options", "--dry-run", Takes::nothing, "", "Only tell what would go"},
    {"Options", "-f,--force", Takes::nothing, "", "Do not ask"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

std::int64_t age_of(const std::string& flag, const std::string& text) {
  const auto seconds = parse_age(text);
  if (!seconds) refuse_value(flag, text, "want a time such as 24h, 30m or 10d");
  return *seconds;
}

store::PruneOptions options_of(Session& session) {
  const Arguments& args = session.args();
  const auto bytes = [&](const char* name) -> std::optional<std::uint64_t> {
    if (!args.has(name)) return std::nullopt;
    return space_of(name, args.value(name), session.store());
  };
  store::PruneOptions options;
  options.keep_bytes = bytes("max-used-space");
  options.free_bytes = bytes("min-free-space");
  options.reserved_bytes = bytes("reserved-space");
  const bool limited =
      options.keep_bytes || options.free_bytes || options.reserved_bytes;
  PruneFilter filter = read_prune_filters(args.values("filter"));
  std::optional<std::int64_t> until = filter.unused_for;
  if (args.has("until")) until = age_of("until", args.value("until"));
  if (filter.only && args.has("images"))
    throw UsageError("--images: --filter is about the cache, not images");
  const bool all = args.has("all") || filter.only;
  options.only = std::move(filter.only);
  options.named_images = args.has("images");
  options.cache_mounts = all || until;
  options.unused_for = until.value_or(all || limited ? 0 : kDefaultAge);
  options.dry_run = args.has("dry-run");
  return options;
}

std::string warning_of(const store::PruneOptions& options) {
  std::string text = "WARNING! This will remove:\n";
  if (options.only)
    return text + "  - what of the cache --filter is about\n" + kSure;
  text += options.named_images ? "  - all images, named ones too\n"
                               : "  - all images without a name\n";
  text += options.unused_for == 0
              ? "  - cached steps, remembered bases and logs of builds\n"
              : "  - cached steps that were not used for " +
                    human_duration(options.unused_for) +
                    ", and older logs of builds\n";
  if (options.cache_mounts) text += "  - what RUN --mount=type=cache keeps\n";
  return text + kSure;
}

void print_report(const store::PruneReport& report, bool dry_run) {
  for (const store::NamedImage& image : report.images)
    print((image.name.empty() ? "Deleted: " + image.manifest.digest.text()
                              : "Untagged: " + image.familiar) +
          "\n");
  const auto line = [](std::size_t count, const char* what) {
    if (count != 0) print(std::to_string(count) + " " + what + "\n");
  };
  line(report.steps, "cached steps");
  line(report.layers, "layers");
  line(report.blobs, "blobs");
  line(report.cache_mounts, "cache mounts");
  line(report.logs, "logs of builds");
  line(report.failed_runs, "failed RUNs");
  print((dry_run ? "Would reclaim: " : "Total reclaimed space: ") +
        short_size(report.bytes) + "\n");
}

// Whether to go on: --force, or the answer of who sits at the terminal.
bool agreed(Session& session, const std::string& warning) {
  if (session.args().has("force")) return true;
  if (::isatty(STDIN_FILENO) != 1)
    throw UsageError("nobody to ask on standard input: give --force");
  const std::string answer = to_lower(trim(ask(warning, session.stop())));
  return answer == "y" || answer == "yes";
}

void remove_store(Session& session) {
  for (const char* other :
       {"all", "images", "until", "filter", "max-used-space", "min-free-space",
        "reserved-space", "dry-run"})
    if (session.args().has(other))
      throw UsageError("--store removes everything: --" + std::string(other) +
                       " has no meaning beside it");
  store::Store& store = session.store();
  const std::string root = store.root();
  if (!agreed(session, "WARNING! This will remove " + root +
                           " with all images and caches in it.\n" + kSure))
    return;
  if (!store::remove_store(store))
    throw Error("another process uses the store: nothing was removed");
  print("Removed: " + root + "\n");
}

void run_prune(Session& session) {
  const Arguments& args = session.args();
  if (args.has("store")) return remove_store(session);
  const store::PruneOptions options = options_of(session);
  if (!options.dry_run && !agreed(session, warning_of(options))) return;
  const store::PruneReport report = store::prune(session.store(), options);
  print_report(report, options.dry_run);
}

}  // namespace

const Command kPruneCommand = {
    "prune",
    "[OPTIONS]",
    "Remove what is no longer used, and say how much space that freed",
    R"(Without options: images without a name, and what steps not used for a week
left in the cache. What an image with a name needs always stays. With a limit
steps go least recently used first; bases and cache mounts only where that is not
enough. A SIZE in percent is of the disk. What a running build uses stays.
See also --store-max of `cbuild build`.

A FILTER, as of docker buildx, is NAME=VALUE, NAME!=VALUE or NAME~=REGEX, or a NAME
alone: until (unused-for); type (regular for a cached step, exec.cachemount,
source.local, source.http, source.git.checkout); id; description; parents; inuse,
shared (with an image), private, mutable, immutable. Several must
all hold.

A user's store holds files of the user's subordinate ids, which rm(1) cannot
remove: --store does.

Examples:
  cbuild prune -f --until 24h
  cbuild prune -f --filter type=exec.cachemount --filter until=48h
  cbuild prune -f --max 20g --min-free 10%
)",
    kTable,
    0,
    0,
    run_prune,
};

}  // namespace cbuild::cli
