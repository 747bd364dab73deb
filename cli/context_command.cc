// cbuild context ls: what a build's context is made of.
#include "base/text.h"
#include "builder/context_listing.h"
#include "cli/build_flags.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/template.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "-f,--file", Takes::one, "FILE",
     "Dockerfile, whose own FILE.dockerignore counts (default: "
     "DIR/Dockerfile)"},
    {"Options", "--size", Takes::nothing, "",
     "Sizes too, of excluded directories as well"},
    {"Options", "--format", Takes::one, "FORMAT",
     "table, json, or a template such as '{{.Path}} {{.ExcludedBy}}'"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

// Names may hold anything; a line is one file.
std::string shown(const builder::ContextItem& item) {
  std::string path = item.path;
  if (item.type == store::EntryType::directory) path += '/';
  for (const char c : path)
    if (static_cast<unsigned char>(c) < 32 || c == 127) return go_quote(path);
  return path;
}

const char* type_name(store::EntryType type) {
  using store::EntryType;
  switch (type) {
    case EntryType::directory:
      return "directory";
    case EntryType::symlink:
      return "symlink";
    case EntryType::character_device:
    case EntryType::block_device:
      return "device";
    case EntryType::fifo:
      return "fifo";
    case EntryType::socket:
      return "socket";
    case EntryType::file:
    case EntryType::hardlink:
    case EntryType::whiteout:
      break;
  }
  return "file";
}

// How many, and how large in all.
struct Sum {
  std::size_t count = 0;
  std::uint64_t size = 0;

  std::string text(bool sizes) const {
    const std::string number = std::to_string(count);
    return sizes ? number + " (" + short_size(size) + ")" : number;
  }
};

void run_ls(Session& session) {
  const Arguments& args = session.args();
  builder::BuildRequest request;
  if (!args.words().empty()) request.context = args.words().front();
  request.dockerfile = args.value("file");
  const bool sizes = args.has("size");
  const bool table = args.value("format", "table") == "table";

  std::vector<Row> rows;
  Sum sent, excluded;
  for (const builder::ContextItem& item : list_context(request, sizes)) {
    Sum& sum = item.excluded() ? excluded : sent;
    ++sum.count;
    sum.size += item.size;
    Row row = {{"Path", shown(item)}, {"Type", type_name(item.type)}};
    if (sizes)
      row.emplace_back(
          "Size", table ? short_size(item.size) : std::to_string(item.size));
    row.emplace_back("ExcludedBy", item.place);
    row.emplace_back("Pattern", item.pattern);
    if (table)
      row.emplace_back("Reason", item.excluded()
                                     ? item.place + ": " + item.pattern
                                     : std::string());
    rows.push_back(std::move(row));
  }
  if (sizes)
    print(format_rows(args.value("format"), {"Size", "Path", "Reason"},
                      {"SIZE", "PATH", "EXCLUDED BY"}, rows));
  else
    print(format_rows(args.value("format"), {"Path", "Reason"},
                      {"PATH", "EXCLUDED BY"}, rows));
  if (table)
    print_error(sent.text(sizes) + " in the context, " + excluded.text(sizes) +
                " excluded");
}

}  // namespace

const Command kContextLsCommand = {
    "context ls",
    "[OPTIONS] [DIR]",
    "List a build context, and what excludes the rest",
    R"(Nothing is built or sent anywhere: COPY and ADD read the directory in place.
An excluded directory is one line unless a later line of the ignore file brings
back something in it.

Examples:
  cbuild context ls .
  cbuild context ls --size -f docker/app.Dockerfile .
  cbuild context ls --format json . | jq -r 'select(.ExcludedBy == "").Path'
)",
    kTable,
    0,
    1,
    run_ls,
};

}  // namespace cbuild::cli
