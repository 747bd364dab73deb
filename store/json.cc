#include "store/json.h"

namespace cbuild::store {
namespace {

[[noreturn]] void wrong_type(const char* key, const char* wanted) {
  throw Error("\"" + std::string(key) + "\" is not " + wanted);
}

std::string text_of(const Json& value, const char* key) {
  if (!value.is_string()) wrong_type(key, "a text");
  return value.get<std::string>();
}

Platform platform_from(const Json& object) {
  if (!object.is_object()) wrong_type("platform", "an object");
  Platform platform;
  platform.os = text_at(object, "os");
  platform.architecture = text_at(object, "architecture");
  platform.variant = text_at(object, "variant");
  platform.os_version = text_at(object, "os.version");
  platform.os_features = texts_at(object, "os.features");
  return normalize(platform);
}

Json platform_to(const Platform& platform) {
  Json json = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.os_version.empty()) json["os.version"] = platform.os_version;
  if (!platform.os_features.empty()) json["os.features"] = platform.os_features;
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

}  // namespace

Json parse_object(std::string_view text, std::string_view what) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    throw Error(std::string(what) + " is not a JSON object");
  return json;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_at(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value ? text_of(*value, key) : "";
}

std::int64_t number_at(const Json& object, const char* key) {
  const Json* value = member(object, key);
  if (!value) return 0;
  if (!value->is_number_integer()) wrong_type(key, "a whole number");
  return value->get<std::int64_t>();
}

bool flag_at(const Json& object, const char* key) {
  const Json* value = member(object, key);
  if (!value) return false;
  if (!value->is_boolean()) wrong_type(key, "true or false");
  return value->get<bool>();
}

std::vector<std::string> texts_at(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const Json* value = member(object, key);
  if (!value) return texts;
  if (!value->is_array()) wrong_type(key, "a list");
  for (const Json& item : *value) texts.push_back(text_of(item, key));
  return texts;
}

std::map<std::string, std::string> pairs_at(const Json& object,
                                            const char* key) {
  std::map<std::string, std::string> pairs;
  const Json* value = member(object, key);
  if (!value) return pairs;
  if (!value->is_object()) wrong_type(key, "an object");
  for (const auto& [name, item] : value->items())
    pairs[name] = text_of(item, key);
  return pairs;
}

Descriptor descriptor_from(const Json& object) {
  if (!object.is_object()) throw Error("a descriptor is not an object");
  const std::int64_t size = number_at(object, "size");
  if (size < 0) throw Error("a descriptor's size is negative");
  Descriptor descriptor{
      .media_type = text_at(object, "mediaType"),
      .digest = Digest::parse(text_at(object, "digest")),
      .size = static_cast<std::uint64_t>(size),
      .platform = {},
      .annotations = pairs_at(object, "annotations"),
      .urls = texts_at(object, "urls"),
  };
  if (const Json* platform = member(object, "platform"))
    descriptor.platform = platform_from(*platform);
  return descriptor;
}

Json descriptor_to(const Descriptor& descriptor) {
  Json json = {{"mediaType", descriptor.media_type},
               {"digest", descriptor.digest.text()},
               {"size", descriptor.size}};
  if (!descriptor.urls.empty()) json["urls"] = descriptor.urls;
  if (!descriptor.annotations.empty())
    json["annotations"] = descriptor.annotations;
  if (descriptor.platform) json["platform"] = platform_to(*descriptor.platform);
  return json;
}

}  // namespace cbuild::store
