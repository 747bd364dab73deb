// cbuild prune: disk space back.
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "cli/values.h"
#include "store/prune.h"

namespace cbuild::cli {
namespace {

constexpr std::int64_t kDefaultAge = 7 * 24 * 3600;  // seconds

constexpr Flag kFlags[] = {
    {"Options", "-a,--all", Takes::nothing, "",
     "All cached steps and cache mounts, however recently used"},
    {"Options", "--images", Takes::nothing, "",
     "Images with a name too: the store is left empty but for the cache"},
    {"Options", "--until", Takes::one, "TIME",
     "Only what was not used for TIME: 24h, 30m, 10d"},
    {"Options", "--filter", Takes::many, "until=TIME", "The same, as docker"},
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

// How long something must have been unused; nullopt where nothing was said.
std::optional<std::int64_t> until_of(const Arguments& args) {
  std::optional<std::int64_t> until;
  for (const std::string& filter : args.values("filter")) {
    const auto [name, value] = cut(filter);
    if (name != "until" || !value)
      refuse_value("filter", filter,
                   "want until=TIME" + did_you_mean(name, {"until"}));
    until = age_of("filter", *value);
  }
  if (args.has("until")) until = age_of("until", args.value("until"));
  return until;
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
  const std::optional<std::int64_t> until = until_of(args);
  options.named_images = args.has("images");
  options.cache_mounts = args.has("all") || until;
  options.unused_for =
      until.value_or(args.has("all") || limited ? 0 : kDefaultAge);
  options.dry_run = args.has("dry-run");
  return options;
}

std::string warning_of(const store::PruneOptions& options) {
  std::string text = "WARNING! This will remove:\n";
  text += options.named_images ? "  - all images, named ones too\n"
                               : "  - all images without a name\n";
  text += options.unused_for == 0
              ? "  - cached steps, remembered bases and logs of builds\n"
              : "  - cached steps that were not used for " +
                    human_duration(options.unused_for) +
                    ", and older logs of builds\n";
  if (options.cache_mounts) text += "  - what RUN --mount=type=cache keeps\n";
  return text + "Are you sure you want to continue? [y/N] ";
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

void run_prune(Session& session) {
  const Arguments& args = session.args();
  const store::PruneOptions options = options_of(session);
  if (!args.has("force") && !options.dry_run) {
    if (::isatty(STDIN_FILENO) != 1)
      throw UsageError("nobody to ask on standard input: give --force");
    const std::string answer = ask(warning_of(options), session.stop());
    if (to_lower(trim(answer)) != "y" && to_lower(trim(answer)) != "yes")
      return;
  }
  const store::PruneReport report = store::prune(session.store(), options);
  if (report.busy)
    throw Error("another process uses the store: nothing was removed");
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
enough. A SIZE in percent is of the disk. Nothing is
removed while a build runs. See also --store-max of `cbuild build`.

Examples:
  cbuild prune -f --until 24h
  cbuild prune -f --max 20g --min-free 10%
)",
    kTable,
    0,
    0,
    run_prune,
};

}  // namespace cbuild::cli
