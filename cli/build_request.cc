#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "cli/build_context.h"
#include "cli/build_flags.h"
#include "cli/run_flags.h"
#include "cli/values.h"

namespace cbuild::cli {
namespace {

std::vector<registry::Reference> tags(const Arguments& arguments) {
  std::vector<registry::Reference> result;
  for (const std::string& text : arguments.values("tag")) {
    try {
      result.push_back(registry::Reference::parse(text).with_default_tag());
    } catch (const registry::ReferenceError& e) {
      refuse_value("tag", text, e.what());
    }
    if (result.back().digest())
      refuse_value("tag", text, "a tag cannot hold a digest");
  }
  return result;
}

void read_build_args(const Arguments& arguments,
                     builder::BuildRequest& request) {
  bool has_epoch = false;
  for (const std::string& text : arguments.values("build-arg")) {
    auto [name, value] = cut(text);
    if (name.empty())
      refuse_value("build-arg", text, "want NAME=VALUE or NAME");
    has_epoch |= name == "SOURCE_DATE_EPOCH";
    if (!value) {
      // Unset in the environment too: the Dockerfile's default stays.
      const char* inherited = std::getenv(name.c_str());
      if (inherited == nullptr) continue;
      value = inherited;
    }
    request.build_args.emplace_back(std::move(name), std::move(value));
  }
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (!has_epoch && epoch != nullptr && *epoch != '\0')
    request.build_args.emplace_back("SOURCE_DATE_EPOCH", epoch);
}

void read_labels(const Arguments& arguments, builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("label")) {
    auto [name, value] = cut(text);
    if (name.empty()) refuse_value("label", text, "want NAME=VALUE");
    request.labels.emplace_back(name, value.value_or(""));
  }
  for (const std::string& text : arguments.values("annotation")) {
    auto [name, value] = cut(text);
    if (name.empty() || !value)
      refuse_value("annotation", text, "want NAME=VALUE");
    // buildx puts where it goes in front: manifest:, index:, ...
    const std::size_t colon = name.find(':');
    const std::string place =
        colon == std::string::npos ? "" : name.substr(0, colon);
    if (place == "manifest")
      name.erase(0, colon + 1);
    else if (place.starts_with("index") || place.starts_with("manifest"))
      refuse_value("annotation", text,
                   "only the manifest can have annotations yet");
    request.annotations.emplace_back(name, *value);
  }
}

void read_build_contexts(const Arguments& arguments,
                         builder::BuildRequest& request) {
  for (const std::string& text : arguments.values("build-context")) {
    auto [name, value] = cut(text);
    if (name.empty() || !value || value->empty())
      refuse_value("build-context", text, "want NAME=VALUE");
    request.build_contexts[name] = *value;
  }
}

void read_context_mode(const Arguments& arguments,
                       builder::BuildRequest& request) {
  const std::string mode = arguments.value("context-mode", "as-is");
  if (mode == "git")
    request.context_mode = builder::ContextMode::git;
  else if (mode != "as-is")
    refuse_value("context-mode", mode,
                 "want git or as-is" + did_you_mean(mode, {"git", "as-is"}));
}

void read_result(const Arguments& arguments, builder::BuildRequest& request) {
  request.tags = tags(arguments);
  const std::string kind = arguments.value("compression", "gzip");
  if (kind == "zstd")
    request.compression = store::Compression::zstd;
  else if (kind == "uncompressed" || kind == "none")
    request.compression = store::Compression::none;
  else if (kind != "gzip")
    refuse_value("compression", kind, "want gzip, zstd or uncompressed");
  const std::string level = arguments.value("compression-level", "default");
  request.fast_compression = level == "fast";
  if (level != "fast" && level != "default")
    refuse_value("compression-level", level, "want fast or default");
  if (arguments.has("jobs")) {
    const auto jobs = parse_number(arguments.value("jobs"));
    if (!jobs || *jobs > 1024)
      refuse_value("jobs", arguments.value("jobs"), "want a number up to 1024");
    request.jobs = static_cast<unsigned>(*jobs);
  }
}

void read_platform(const Arguments& arguments, builder::BuildRequest& request) {
  if (!arguments.has("platform")) return;
  const std::string platform = arguments.value("platform");
  if (platform.find(',') != std::string::npos)
    refuse_value("platform", platform,
                 "one platform at a time is supported yet");
  try {
    request.platform = platform == "local" ? store::host_platform()
                                           : store::parse_platform(platform);
  } catch (const Error& e) {
    refuse_value("platform", platform, e.what());
  }
}

// Without a stage, all of them.
std::optional<std::vector<std::string>> expected_stages(
    const Arguments& arguments) {
  if (!arguments.has("expect-cached")) return std::nullopt;
  std::vector<std::string> stages;
  for (const std::string& text : arguments.values("expect-cached")) {
    if (text.empty()) return std::vector<std::string>();
    for (const std::string& stage : split(text, ',')) stages.push_back(stage);
  }
  return stages;
}

}  // namespace

builder::BuildRequest source_request(const Arguments& arguments) {
  builder::BuildRequest request;
  read_build_args(arguments, request);
  read_build_contexts(arguments, request);
  read_context_mode(arguments, request);
  read_platform(arguments, request);
  request.target = arguments.value("target");
  const auto& words = arguments.words();
  read_context(words.empty() ? "." : words.front(), arguments.value("file"),
               request);
  return request;
}

builder::BuildRequest build_request(const Arguments& arguments) {
  builder::BuildRequest request = source_request(arguments);
  read_labels(arguments, request);
  read_secrets(arguments, request);
  read_run_flags(arguments, request);
  read_result(arguments, request);
  request.no_cache = arguments.has("no-cache");
  request.pull = arguments.has("pull");
  request.explain = arguments.has("explain");
  request.expect_cached = expected_stages(arguments);
  for (const std::string& text : arguments.values("no-cache-filter"))
    for (const std::string& stage : split(text, ','))
      request.no_cache_filter.push_back(stage);
  return request;
}

}  // namespace cbuild::cli
