#include "builder/build_trace.h"

#include <fcntl.h>

#include <cstdlib>

#include "base/dir.h"
#include "builder/fields.h"
#include "base/text.h"
#include "store/staging.h"

// A trace is the hex SHA-256 of the rest, a line end, and texts, each after its
// length and a colon: a version, then a step's fields and how many inputs and
// reasons follow.

namespace cbuild::builder {
namespace {

constexpr std::string_view kVersion = "1";
constexpr std::size_t kHexDigits = 64;

std::string absolute(const std::string& path) {
  if (path.empty()) return path;
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

void put_step(std::string& text, const TracedStep& step) {
  put_field(text, step.report.name);
  put_field(text, step.stage);
  put_field(text, std::to_string(step.report.line));
  put_field(text, std::to_string(static_cast<int>(step.report.outcome)));
  put_field(text, std::to_string(step.report.reasons.size()));
  for (const std::string& reason : step.report.reasons) put_field(text, reason);
  put_field(text, std::to_string(step.inputs.size()));
  for (const auto& [name, value] : step.inputs) {
    put_field(text, name);
    put_field(text, value);
  }
}

TracedStep next_step(Fields& fields) {
  TracedStep step;
  step.report.name = fields.next();
  step.stage = fields.next();
  step.report.line = fields.next_number();
  step.report.outcome = static_cast<StepReport::Outcome>(fields.next_number());
  for (std::size_t n = fields.next_number(); n > 0; --n)
    step.report.reasons.push_back(fields.next());
  for (std::size_t n = fields.next_number(); n > 0; --n) {
    std::string name = fields.next();
    step.inputs.emplace_back(std::move(name), fields.next());
  }
  return step;
}

std::string serialized(const std::vector<TracedStep>& steps) {
  std::string body;
  put_field(body, kVersion);
  for (const TracedStep& step : steps) put_step(body, step);
  return store::sha256(body).hex() + "\n" + body;
}

}  // namespace

TraceName trace_name(const BuildRequest& request,
                     const std::string& dockerfile_path) {
  return {absolute(request.context), absolute(dockerfile_path),
          to_lower(request.target),
          request.platform ? request.platform->text() : ""};
}

std::string Traces::path(const TraceName& name) const {
  const store::Digest id = store::key_of({{"context", name.context},
                                          {"file", name.dockerfile},
                                          {"target", name.target},
                                          {"platform", name.platform}});
  return root_ + "/contexts/" + id.hex() + ".build";
}

std::string Traces::listing_path(const std::string& digest) const {
  return root_ + "/contexts/" + digest.substr(digest.find(':') + 1) + ".files";
}

std::optional<std::vector<TracedStep>> Traces::load(
    const TraceName& name) const {
  const std::optional<std::string> file = read_file(path(name));
  if (!file || file->size() <= kHexDigits) return std::nullopt;
  const std::string_view body = std::string_view(*file).substr(kHexDigits + 1);
  if (store::sha256(body).hex() != file->substr(0, kHexDigits))
    return std::nullopt;
  Fields fields(body);
  if (fields.next() != kVersion) return std::nullopt;
  std::vector<TracedStep> steps;
  while (!fields.at_end()) steps.push_back(next_step(fields));
  return steps;
}

void Traces::save(const TraceName& name, const std::vector<TracedStep>& steps) {
  const std::string text = serialized(steps);
  if (read_file(path(name)) == text) return;
  store::Staging::of(root_)->replace(path(name), text);
}

std::int64_t Traces::time(const TraceName& name) const {
  const auto st = lstat_at(AT_FDCWD, path(name));
  return st ? st->st_mtime : 0;
}

std::optional<FileListing> Traces::listing(const std::string& digest) const {
  const std::optional<std::string> text = read_file(listing_path(digest));
  if (!text) return std::nullopt;
  return FileListing::parse(*text);
}

void Traces::save_listing(const std::string& digest,
                          const FileListing& listing) {
  const std::string path = listing_path(digest);
  if (lstat_at(AT_FDCWD, path)) return;
  store::Staging::of(root_)->replace(path, listing.text());
}

}  // namespace cbuild::builder
