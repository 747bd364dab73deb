#include "store/step_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/dir.h"
#include "base/text.h"
#include "store/damage.h"
#include "store/json.h"

// A record file is {"sha256":"<hex>","record":<record>}, where the digest is
// that of the record's bytes as they stand: it is verified before any parsing.
// The record ends with its layers in one string, which is cut off before: of a
// thousand steps on top of each other they are nearly all that there is to
// read, and a JSON parser is slow.

namespace cbuild::store {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // in nanoseconds
constexpr std::time_t kHour = 60 * 60;
constexpr std::string_view kOpening = R"({"sha256":")";
constexpr std::string_view kMiddle = R"(","record":)";
constexpr std::size_t kHexDigits = 64;
// Inside of a string its quotes would be escaped.
constexpr std::string_view kChain = R"(,"chain":")";

Json json_of(const StepRecord& record) {
  Json inputs = Json::array();
  for (const auto& [name, value] : record.inputs)
    inputs.push_back(Json::array({name, value}));
  return {{"key", record.key.text()},
          {"title", record.title},
          {"born", Birth::now().text()},
          {"created", record.created},
          {"created_ns", record.created_nanoseconds},
          {"ms", record.milliseconds},
          {"inputs", std::move(inputs)}};
}

// The record's bytes.
std::string text_of(const StepRecord& record) {
  std::string text = dump(json_of(record));
  text.pop_back();
  text += kChain;
  text += record.layers.text();
  return text + "\"}";
}

// `text` without its layers, and these. nullopt for what has none, as records
// of earlier versions.
std::optional<std::pair<std::string, Chain>> without_chain(
    std::string_view text) {
  constexpr std::string_view kEnd = "\"}";
  if (!text.ends_with(kEnd)) return std::nullopt;
  text.remove_suffix(kEnd.size());
  // Ids have no quotes. Most of the record is searched here: memrchr is quick.
  const auto* quote =
      static_cast<const char*>(::memrchr(text.data(), '"', text.size()));
  if (quote == nullptr) return std::nullopt;
  const auto before = static_cast<std::size_t>(quote - text.data()) + 1;
  const std::string_view ids = text.substr(before);
  text = text.substr(0, before);
  if (!text.ends_with(kChain)) return std::nullopt;
  text.remove_suffix(kChain.size());
  return std::pair(std::string(text) + "}", Chain::parse(std::string(ids)));
}

StepRecord record_of(const Json& json) {
  StepRecord record{.key = Digest::parse(text_at(json, "key")),
                    .inputs = {},
                    .title = text_at(json, "title"),
                    .layers = {},
                    .created = number_at(json, "created"),
                    .created_nanoseconds = number_at(json, "created_ns"),
                    .milliseconds = number_at(json, "ms")};
  if (const Json* inputs = member(json, "inputs"))
    for (const Json& pair : *inputs)
      record.inputs.emplace_back(pair.at(0).get<std::string>(),
                                 pair.at(1).get<std::string>());
  return record;
}

// The record's bytes, or nothing where the frame or the digest is wrong.
std::optional<std::string_view> verified(std::string_view file) {
  const std::size_t start = kOpening.size() + kHexDigits + kMiddle.size();
  if (file.size() < start + 1 || !file.starts_with(kOpening) ||
      file.substr(kOpening.size() + kHexDigits, kMiddle.size()) != kMiddle ||
      !file.ends_with('}'))
    return std::nullopt;
  const std::string_view body = file.substr(start, file.size() - start - 1);
  if (sha256(body).hex() != file.substr(kOpening.size(), kHexDigits))
    return std::nullopt;
  return body;
}

void drop_record(const std::string& path, const std::string& why) {
  ::unlink(path.c_str());
  report_damage("step record " + path.substr(path.rfind('/') + 1, 12) + " " +
                why + ": dropped, the step runs again");
}

// Inputs may be any bytes, JSON is UTF-8: bytes above 0x7f become the code
// points U+0080 to U+00FF and come back as bytes.
std::string widen(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::string narrow(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80 || i + 1 == text.size())
      bytes += text[i];
    else
      bytes += static_cast<char>(
          (byte & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
  }
  return bytes;
}

StepRecord recoded(StepRecord record, std::string (*code)(std::string_view)) {
  record.title = code(record.title);
  for (auto& [name, value] : record.inputs) {
    name = code(name);
    value = code(value);
  }
  return record;
}

}  // namespace

Digest key_of(const KeyInputs& inputs) {
  Hasher hasher;
  const auto add = [&](const std::string& text) {
    hasher.update(std::to_string(text.size()) + ":");
    hasher.update(text);
  };
  for (const auto& [name, value] : inputs) {
    add(name);
    add(value);
  }
  return hasher.finish();
}

StepCache::StepCache(const std::string& root,
                     std::shared_ptr<const Durability> durability)
    : steps_(root + "/steps"),
      durability_(std::move(durability)),
      staging_(Staging::of(root)),
      leases_(Leases::of(root)) {
  ensure_layout(root);
}

std::optional<StepRecord> StepCache::read(const std::string& path) const {
  const std::optional<std::string> file = read_file(path);
  if (!file) return std::nullopt;
  const std::optional<std::string_view> body = verified(*file);
  if (!body) {
    drop_record(path, "is damaged");
    return std::nullopt;
  }
  auto parts = without_chain(*body);
  if (!parts) return std::nullopt;
  const Json json = parse_object(parts->first, path);
  const auto birth = Birth::parse(text_at(json, "born"));
  if (!birth || !durability_->holds(*birth)) {
    drop_record(path, "was not on the disk when the machine stopped");
    return std::nullopt;
  }
  StepRecord record = record_of(json);
  record.layers = std::move(parts->second);
  return record;
}

std::optional<StepRecord> StepCache::find(const Digest& key) const {
  const std::string path = steps_ + "/" + key.hex();
  Leases::Looking looking(*leases_);
  std::optional<StepRecord> record = read(path);
  if (!record || record->key != key) return std::nullopt;
  looking.hold("steps/" + key.hex());
  looking.hold_layers(record->layers);
  // Whoever may read but not write the store still gets the answer.
  if (std::time(nullptr) - last_used(key) / kSecond > kHour)
    static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), nullptr, 0));
  return recoded(std::move(*record), narrow);
}

void StepCache::put(const StepRecord& record) {
  const std::string body = text_of(recoded(record, widen));
  std::string file(kOpening);
  file += sha256(body).hex();
  file += kMiddle;
  file += body;
  file += '}';
  leases_->hold("steps/" + record.key.hex());
  staging_->exchange(steps_ + "/" + record.key.hex(), file);
}

void StepCache::remove(const Digest& key) {
  remove_tree(steps_ + "/" + key.hex());
}

std::vector<StepRecord> StepCache::list() const {
  const Fd dir = open_path(steps_, O_RDONLY | O_DIRECTORY);
  std::vector<StepRecord> records;
  for (const std::string& name : list_dir(dir.get()))
    if (auto record = read(steps_ + "/" + name))
      records.push_back(recoded(std::move(*record), narrow));
  return records;
}

bool StepCache::any_unused_since(std::int64_t seconds) const {
  const Fd dir = open_path(steps_, O_RDONLY | O_DIRECTORY);
  const std::vector<std::string> names = list_dir(dir.get());
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto st = lstat_at(dir.get(), name);
    return st && st->st_mtim.tv_sec < seconds;
  });
}

std::int64_t StepCache::last_used(const Digest& key) const {
  const auto st = lstat_at(AT_FDCWD, steps_ + "/" + key.hex());
  return st ? std::int64_t{st->st_mtim.tv_sec} * kSecond + st->st_mtim.tv_nsec
            : 0;
}

}  // namespace cbuild::store
