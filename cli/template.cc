#include "cli/template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"

namespace cbuild::cli {
namespace {

std::string json_of(const Row& row) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : row) json[name] = value;
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

std::string field_of(const Row& row, std::string_view expression) {
  const std::string inside(trim(expression));
  if (inside == "json .") return json_of(row);
  std::vector<std::string> names;
  for (const auto& [name, value] : row) {
    if (inside == "." + name) return value;
    if (inside == "json ." + name) return go_quote(value);
    names.push_back("." + name);
  }
  throw UsageError("--format: no field {{" + inside + "}}" +
                   did_you_mean(inside, names) + "; there are " +
                   join(names, " "));
}

// The cells of one line of "table {{.A}}\t{{.B}}".
std::vector<std::string> cells(const std::string& line) {
  return split(line, '\t');
}

std::string custom_table(const std::string& line,
                         const std::vector<std::string>& fields,
                         const std::vector<std::string>& header,
                         const std::vector<Row>& rows) {
  Row titles;
  for (std::size_t i = 0; i < fields.size(); ++i)
    titles.emplace_back(fields[i], header[i]);
  std::vector<std::vector<std::string>> table;
  for (const Row& row : rows)
    table.push_back(cells(fill_template(
        line, [&](const std::string& name) { return field_of(row, name); })));
  const std::string head = fill_template(line, [&](const std::string& name) {
    const std::string key = std::string(trim(name)).substr(1);
    const auto found =
        std::find_if(titles.begin(), titles.end(),
                     [&](const auto& title) { return title.first == key; });
    return found == titles.end() ? to_upper(key) : found->second;
  });
  return format_table(cells(head), table);
}

std::string lines(const std::string& text, const std::vector<Row>& rows) {
  std::string result;
  for (const Row& row : rows) {
    result += fill_template(
        text, [&](const std::string& name) { return field_of(row, name); });
    result += '\n';
  }
  return result;
}

}  // namespace

std::string unescape_template(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() &&
        (text[i + 1] == 't' || text[i + 1] == 'n'))
      result += text[++i] == 't' ? '\t' : '\n';
    else
      result += text[i];
  }
  return result;
}

std::string format_rows(const std::string& format,
                        const std::vector<std::string>& fields,
                        const std::vector<std::string>& header,
                        const std::vector<Row>& rows) {
  const std::string text = unescape_template(format);
  if (text == "json") return lines("{{json .}}", rows);
  std::string line = text;
  if (text.starts_with("table")) line = std::string(trim(text.substr(5)));
  if (line.empty()) {
    for (const std::string& field : fields)
      line += (line.empty() ? "{{." : "\t{{.") + field + "}}";
    return custom_table(line, fields, header, rows);
  }
  if (text.starts_with("table"))
    return custom_table(line, fields, header, rows);
  return lines(line, rows);
}

}  // namespace cbuild::cli
