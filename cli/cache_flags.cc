#include "cli/cache_flags.h"

#include <cstdlib>
#include <map>

#include "base/text.h"
#include "cli/values.h"
#include "parser/mount.h"
#include "registry/cache_storage.h"
#include "registry/reference.h"

namespace cbuild::cli {
namespace {

using Attributes = std::map<std::string, std::string>;
using Places = std::vector<builder::CachePlace>;

// What a kind of cache takes, and why not of what buildx knows besides.
struct Attribute {
  const char* type;  // "" for every type
  const char* name;
  const char* refusal = nullptr;  // nullptr: it is taken
};
constexpr const char* kCompression =
    "layers are shared as the image has them: use --compression";
constexpr Attribute kAttributes[] = {
    {"", "type"},
    {"", "mode"},
    {"", "ignore-error"},
    {"", "image-manifest"},
    {"", "oci-mediatypes"},
    {"", "compression", kCompression},
    {"", "compression-level", kCompression},
    {"", "force-compression", kCompression},
    {"registry", "ref"},
    {"registry", "registry.insecure"},
    {"s3", "bucket"},
    {"s3", "region"},
    {"s3", "prefix"},
    {"s3", "blobs_prefix"},
    {"s3", "manifests_prefix"},
    {"s3", "name"},
    {"s3", "endpoint_url"},
    {"s3", "use_path_style"},
    {"s3", "access_key_id"},
    {"s3", "secret_access_key"},
    {"s3", "session_token"},
    {"s3", "touch_refresh", "objects keep the time they were written"},
    {"s3", "upload_parallelism", "four transfers run at once"},
    {"s3", "disable_accept_encoding", "nothing is sent compressed anew"},
    {"s3", "retry_mode", "tries are fixed"},
    {"s3", "retry_max_attempts", "tries are fixed"},
    {"local", "src"},
    {"local", "dest"},
    {"local", "tag"},
    {"local", "digest", "records go by their keys and not by a digest"},
    {"local", "reset", "records that others wrote are never removed"},
};

// One --cache-from or --cache-to.
class CacheFlag {
 public:
  CacheFlag(const Session& session, const char* flag, const std::string& text)
      : session_(session), flag_(flag), text_(text) {}

  // Adds a place; for "inline" sets `request`.
  void read(builder::BuildRequest& request, Places& places) {
    if (is_shorthand()) {
      for (const std::string& ref : split(text_, ','))
        places.push_back(registry_place({{"ref", ref}}));
      return;
    }
    const Attributes attributes = split_attributes();
    const std::string& type = attributes.at("type");
    builder::CachePlace place;
    if (type == "registry")
      place = registry_place(attributes);
    else if (type == "local")
      place = local_place(attributes);
    else if (type == "s3")
      place = s3_place(attributes);
    else if (sends())
      return set_inline(attributes, request);
    else
      refuse("an inline cache is read with type=registry,ref=IMAGE");
    place.max = is_max(attributes);
    places.push_back(std::move(place));
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    refuse_value(flag_, text_, why);
  }
  bool sends() const { return flag_ == "cache-to"; }

  // Only names of images: buildx reads them as type=registry.
  bool is_shorthand() const { return text_.find('=') == std::string::npos; }

  Attributes split_attributes() const {
    Attributes attributes;
    for (const std::string& field : split(text_, ',')) {
      auto [name, value] = cut(field);
      if (!value)
        refuse("invalid field '" + field + "' must be a key=value pair");
      attributes[to_lower(std::string(trim(name)))] = *value;
    }
    if (!attributes.contains("type")) refuse("it has no type");
    check_type(attributes.at("type"));
    for (const auto& [name, value] : attributes)
      check_attribute(attributes.at("type"), name);
    check_values(attributes);
    return attributes;
  }

  void check_type(const std::string& type) const {
    for (const char* known : {"registry", "local", "inline", "s3"})
      if (type == known) return;
    if (type == "gha" || type == "azblob")
      refuse("type=" + type + " is not supported yet");
    refuse("unknown type" +
           did_you_mean(type, {"registry", "local", "inline", "s3"}));
  }

  void check_attribute(const std::string& type, const std::string& name) const {
    std::vector<std::string> known;
    for (const Attribute& row : kAttributes) {
      if (*row.type != '\0' && type != row.type) continue;
      if (name == row.name) {
        if (row.refusal == nullptr) return;
        refuse(name + " is not supported: " + row.refusal);
      }
      known.emplace_back(row.name);
    }
    refuse("unknown attribute " + name + " of type=" + type +
           did_you_mean(name, known));
  }

  bool flag(const Attributes& attributes, const char* name,
            bool otherwise) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return otherwise;
    const auto value = parser::parse_bool(found->second);
    if (!value) refuse(std::string(name) + ": want true or false");
    return *value;
  }

  void check_values(const Attributes& attributes) const {
    if (!flag(attributes, "ignore-error", true))
      refuse("trouble with a cache never fails a build");
    for (const char* name : {"image-manifest", "oci-mediatypes"})
      if (!flag(attributes, name, true))
        refuse(std::string(name) + "=false is not supported");
    is_max(attributes);
  }

  bool is_max(const Attributes& attributes) const {
    const auto mode = attributes.find("mode");
    if (mode == attributes.end() || mode->second == "min") return false;
    if (mode->second != "max") refuse("mode: want min or max");
    return true;
  }

  std::string needed(const Attributes& attributes, const char* name) const {
    const auto found = attributes.find(name);
    if (found == attributes.end() || found->second.empty())
      refuse(std::string("it has no ") + name);
    return found->second;
  }

  builder::CachePlace registry_place(const Attributes& attributes) const {
    registry::ClientOptions options = session_.client_options();
    options.insecure |= flag(attributes, "registry.insecure", false);
    const std::string ref = needed(attributes, "ref");
    try {
      const auto reference = registry::Reference::parse(ref);
      if (reference.digest()) refuse("ref cannot hold a digest");
      return {registry::registry_cache(std::move(options), reference)};
    } catch (const registry::ReferenceError& e) {
      refuse(e.what());
    }
  }

  builder::CachePlace local_place(const Attributes& attributes) const {
    const auto tag = attributes.find("tag");
    const std::string name = tag == attributes.end() ? "latest" : tag->second;
    if (name.empty() || name.find('/') != std::string::npos || name[0] == '.')
      refuse("tag: want a name without a slash");
    return {registry::directory_cache(
        needed(attributes, sends() ? "dest" : "src"), name)};
  }

  // As given, else from the variable that AWS's own tools read.
  std::string given(const Attributes& attributes, const char* name,
                    const char* variable = nullptr) const {
    const auto found = attributes.find(name);
    if (found != attributes.end()) return found->second;
    const char* value = variable ? std::getenv(variable) : nullptr;
    return value ? value : "";
  }

  builder::CachePlace s3_place(const Attributes& attributes) const {
    registry::S3Bucket bucket;
    bucket.name = given(attributes, "bucket", "AWS_BUCKET");
    bucket.region = given(attributes, "region", "AWS_REGION");
    if (bucket.name.empty()) refuse("it has no bucket");
    if (bucket.region.empty()) refuse("it has no region, nor has $AWS_REGION");
    bucket.endpoint = given(attributes, "endpoint_url");
    bucket.path_style = flag(attributes, "use_path_style", false);
    bucket.access_key = given(attributes, "access_key_id", "AWS_ACCESS_KEY_ID");
    bucket.secret_key =
        given(attributes, "secret_access_key", "AWS_SECRET_ACCESS_KEY");
    bucket.session_token =
        given(attributes, "session_token", "AWS_SESSION_TOKEN");
    if (bucket.access_key.empty() || bucket.secret_key.empty())
      refuse(
          "it has no access_key_id and secret_access_key, nor have "
          "$AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY");
    bucket.prefix = given(attributes, "prefix");
    for (auto [name, value] :
         {std::pair{"blobs_prefix", &bucket.blobs_prefix},
          std::pair{"manifests_prefix", &bucket.manifests_prefix},
          std::pair{"name", &bucket.cache}})
      if (attributes.contains(name)) *value = attributes.at(name);
    return {registry::s3_cache(session_.client_options(), bucket)};
  }

  void set_inline(const Attributes& attributes,
                  builder::BuildRequest& request) const {
    if (is_max(attributes))
      refuse("an inline cache has the steps of the image only: mode=min");
    request.inline_cache = true;
  }

  const Session& session_;
  std::string flag_;
  const std::string& text_;
};

}  // namespace

void read_cache_flags(const Session& session, builder::BuildRequest& request,
                      Places& from, Places& to) {
  const Arguments& args = session.args();
  for (const std::string& text : args.values("cache-from"))
    CacheFlag(session, "cache-from", text).read(request, from);
  for (const std::string& text : args.values("cache-to"))
    CacheFlag(session, "cache-to", text).read(request, to);
  for (const auto& [name, value] : request.build_args)
    if (name == "BUILDKIT_INLINE_CACHE")
      request.inline_cache |=
          parser::parse_bool(value.value_or("")).value_or(false);
  if (!args.has("cache-timeout")) return;
  const std::string& text = args.value("cache-timeout");
  const auto seconds = parse_age(text);
  if (!seconds || *seconds == 0)
    refuse_value("cache-timeout", text, "want a time such as 30s");
  request.cache_timeout = std::chrono::seconds(*seconds);
}

}  // namespace cbuild::cli
