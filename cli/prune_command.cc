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
    {"Options", "--filter", Takes::many, "until=TIME",
     "Only what was not used for TIME: 24h, 30m, 10d"},
    {"Options", "--max-used-space", Takes::one, "BYTES",
     "Remove the oldest steps only until the store is this small"},
    {"Options", "--min-free-space", Takes::one, "BYTES",
     "Remove the oldest steps only until this much of the disk is free"},
    {"Options", "--dry-run", Takes::nothing, "", "Only tell what would go"},
    {"Options", "-f,--force", Takes::nothing, "", "Do not ask"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

std::optional<std::uint64_t> bytes_of(const Arguments& args,
                                      const std::string& name) {
  if (!args.has(name)) return std::nullopt;
  const auto bytes = parse_bytes(args.value(name));
  if (!bytes) refuse_value(name, args.value(name), "want bytes, such as 10g");
  return bytes;
}

store::PruneOptions options_of(const Arguments& args) {
  store::PruneOptions options;
  options.named_images = args.has("images");
  options.cache_mounts = args.has("all");
  options.unused_for = args.has("all") ? 0 : kDefaultAge;
  for (const std::string& filter : args.values("filter")) {
    const auto [name, value] = cut(filter);
    if (name != "until" || !value)
      refuse_value("filter", filter,
                   "want until=TIME" + did_you_mean(name, {"until"}));
    const auto seconds = parse_age(*value);
    if (!seconds)
      refuse_value("filter", filter, "want a time such as 24h, 30m or 10d");
    options.unused_for = *seconds;
    options.cache_mounts = true;
  }
  options.keep_bytes = bytes_of(args, "max-used-space");
  options.free_bytes = bytes_of(args, "min-free-space");
  if (options.keep_bytes || options.free_bytes) options.unused_for = 0;
  options.dry_run = args.has("dry-run");
  return options;
}

std::string warning_of(const store::PruneOptions& options) {
  std::string text = "WARNING! This will remove:\n";
  text += options.named_images ? "  - all images, named ones too\n"
                               : "  - all images without a name\n";
  text += options.unused_for == 0
              ? "  - cached steps and remembered bases\n"
              : "  - cached steps that were not used for " +
                    human_duration(options.unused_for) + "\n";
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
  line(report.failed_runs, "failed RUNs");
  print((dry_run ? "Would reclaim: " : "Total reclaimed space: ") +
        short_size(report.bytes) + "\n");
}

void run_prune(Session& session) {
  const Arguments& args = session.args();
  const store::PruneOptions options = options_of(args);
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
left in the cache. What an image with a name needs always stays.

Examples:
  cbuild prune -f --filter until=24h
  cbuild prune -f --max-used-space 20g
)",
    kTable,
    0,
    0,
    run_prune,
};

}  // namespace cbuild::cli
