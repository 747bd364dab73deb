// cbuild cache: what RUN --mount=type=cache keeps, as files.
#include <fcntl.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/text.h"
#include "builder/cache_mounts.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/result_file.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "-o,--output", Takes::one, "FILE",
     "Where export writes (default: standard output)"},
    {"Options", "-i,--input", Takes::one, "FILE",
     "What import reads (default: standard input)"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

void run_export(const Arguments& args, const std::string& root,
                const std::string& id) {
  const auto export_to = [&](int fd, const std::string& name) {
    builder::export_cache(
        root, id, [&](std::string_view data) { write_all(fd, data, name); });
  };
  if (args.has("output")) {
    const std::string path = args.value("output");
    return write_result_file(path, [&](int fd) { export_to(fd, path); });
  }
  if (::isatty(STDOUT_FILENO) == 1)
    throw UsageError("not to a terminal: give --output FILE");
  export_to(STDOUT_FILENO, "standard output");
}

void run_import(const Arguments& args, const std::string& root,
                const std::string& id) {
  const std::string name = args.value("input", "standard input");
  const Fd file = args.has("input") ? open_path(name, O_RDONLY) : Fd();
  builder::import_cache(
      root, id, store::file_source(file ? file.get() : STDIN_FILENO, name));
}

void run_cache(Session& session) {
  const Arguments& args = session.args();
  const std::string& verb = args.words().front();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const std::string root = store.root() + "/cache-mounts";
  if (verb == "ls" && args.words().size() == 1) {
    for (const builder::SavedCache& cache : builder::list_caches(root))
      print(cache.name + "  " + short_size(cache.bytes) + "  " + cache.id +
            "\n");
    return;
  }
  if ((verb != "export" && verb != "import") || args.words().size() != 2)
    throw UsageError("want cache ls, cache export ID or cache import ID" +
                     did_you_mean(verb, {"ls", "export", "import"}));
  const std::string& id = args.words()[1];
  if (verb == "export")
    run_export(args, root, id);
  else
    run_import(args, root, id);
}

}  // namespace

const Command kCacheCommand = {
    "cache",
    "[OPTIONS] ls | export ID | import ID",
    "Save and restore what RUN --mount=type=cache keeps",
    R"(For machines that are thrown away after each build: one file to hand to the
CI service's own cache. ID is the mount's id, or its target where it has none.

Examples:
  cbuild cache import /root/.cache/go-build -i go.tar.zst
  cbuild -t app .
  cbuild cache export /root/.cache/go-build -o go.tar.zst
)",
    kTable,
    1,
    2,
    run_cache,
};

}  // namespace cbuild::cli
