// cbuild history: the instructions that made an image, and what each added.
#include "base/text.h"
#include "cli/command.h"
#include "cli/find_image.h"
#include "cli/output.h"
#include "cli/template.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--format", Takes::one, "FORMAT",
     "table, json, or a template such as '{{.Size}} {{.CreatedBy}}'"},
    {"Options", "-H,--human", Takes::nothing, "",
     "Sizes and times for people (default; --human=false for exact ones)"},
    {"Options", "--no-trunc", Takes::nothing, "", "Whole instructions"},
    {"Options", "-q,--quiet", Takes::nothing, "", "Only image IDs"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

struct Style {
  bool human = true;
  bool whole = false;
};

Row row_of(const store::History& entry, const std::string& id,
           std::uint64_t size, const Style& style) {
  std::string created_by = entry.created_by;
  for (char& c : created_by)
    if (c == '\t') c = ' ';
  return {
      {"Comment", entry.comment},
      {"CreatedAt", entry.created},
      {"CreatedBy", style.whole ? created_by : ellipsis(created_by, 45)},
      {"CreatedSince", style.human ? time_ago(entry.created) : entry.created},
      {"ID", id},
      {"Size", style.human ? short_size(size) : std::to_string(size)},
  };
}

// Newest first. An image whose config tells nothing of how it was made still
// shows its layers.
std::vector<Row> rows_of(store::Store& store, const store::Image& image,
                         const Style& style) {
  std::vector<store::History> history = image.config.history;
  std::size_t described = 0;
  for (const store::History& entry : history) described += !entry.empty_layer;
  for (; described < image.manifest.layers.size(); ++described)
    history.insert(history.begin(), {image.config.created, "", "", "", false});

  std::vector<Row> rows;
  std::size_t layer = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    std::string id = "<missing>";
    if (i + 1 == history.size()) {
      const store::Digest& digest = image.manifest.config.digest;
      id = style.whole ? digest.text() : digest.hex().substr(0, 12);
    }
    const std::uint64_t size =
        history[i].empty_layer ? 0 : layer_size(store, image, layer++);
    rows.insert(rows.begin(), row_of(history[i], id, size, style));
  }
  return rows;
}

void run_history(Session& session) {
  const Arguments& args = session.args();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const store::Image image =
      store.images.load(find_image(store, args.words().front()));
  Style style;
  style.whole = args.has("no-trunc");
  style.human = !args.switched_off("human");
  const std::vector<Row> rows = rows_of(store, image, style);
  if (args.has("quiet")) {
    print(format_rows("{{.ID}}", {}, {}, rows));
    return;
  }
  print(format_rows(args.value("format"),
                    {"ID", "CreatedSince", "CreatedBy", "Size", "Comment"},
                    {"IMAGE", style.human ? "CREATED" : "CREATED AT",
                     "CREATED BY", "SIZE", "COMMENT"},
                    rows));
}

}  // namespace

const Command kHistoryCommand = {
    "history",
    "[OPTIONS] IMAGE",
    "Show the instructions and layers of an image",
    R"(SIZE is the sum of the sizes of the files that the layer holds.

Examples:
  cbuild history app
  cbuild history --no-trunc --human=false app
)",
    kTable,
    1,
    1,
    run_history,
};

}  // namespace cbuild::cli
