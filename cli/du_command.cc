// cbuild du: where the disk space went.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "store/usage.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"Options", "--format", Takes::one, "FORMAT",
     "json (sizes in bytes), or nothing for a table"},
};
constexpr FlagTable kTable = {{kFlags, kGlobalFlags}};

std::string json_of(const store::Usage& usage) {
  nlohmann::ordered_json json = {{"version", 1},
                                 {"bytes", usage.total()},
                                 {"reclaimable", usage.reclaimable()},
                                 {"parts", nlohmann::ordered_json::array()}};
  for (const store::UsagePart& part : usage.parts)
    json["parts"].push_back({{"what", part.what},
                             {"count", part.count},
                             {"bytes", part.bytes},
                             {"reclaimable", part.reclaimable}});
  return json.dump() + "\n";
}

std::string text_of(const store::Usage& usage) {
  std::vector<std::vector<std::string>> rows;
  for (const store::UsagePart& part : usage.parts)
    rows.push_back({part.what, part.count == 0 ? "" : std::to_string(part.count),
                    short_size(part.bytes), short_size(part.reclaimable)});
  rows.push_back({"total", "", short_size(usage.total()),
                  short_size(usage.reclaimable())});
  return format_table({"WHAT", "COUNT", "SIZE", "RECLAIMABLE"}, rows);
}

void run_du(Session& session) {
  const std::string format = session.args().value("format");
  if (!format.empty() && format != "json")
    throw UsageError("invalid format " + go_quote(format) + ": want json");
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const store::Usage usage = store::usage(store);
  print(format == "json" ? json_of(usage) : text_of(usage));
}

}  // namespace

const Command kDuCommand = {
    "du",
    "[OPTIONS]",
    "Say where the disk space went",
    R"(Sizes are of allocated blocks, so the total is what du(1) says of the store.
Reclaimable is what no image with a name needs; `cbuild prune -a` would free it.
)",
    kTable,
    0,
    0,
    run_du,
};

}  // namespace cbuild::cli
