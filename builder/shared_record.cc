#include "builder/shared_record.h"

#include "builder/fields.h"

namespace cbuild::builder {
namespace {

constexpr std::string_view kVersion = "1";
constexpr std::size_t kHexDigits = 64;

SharedRecord read(Fields& fields, const store::Digest& key) {
  SharedRecord shared{.record = {.key = key}, .layers = {}};
  store::StepRecord& record = shared.record;
  record.title = fields.next();
  record.created = static_cast<std::int64_t>(fields.next_number());
  record.created_nanoseconds = static_cast<std::int64_t>(fields.next_number());
  record.milliseconds = static_cast<std::int64_t>(fields.next_number());
  for (auto n = fields.next_number(); n > 0; --n) {
    std::string name = fields.next();
    record.inputs.emplace_back(std::move(name), fields.next());
  }
  for (auto n = fields.next_number(); n > 0; --n) {
    SharedLayer layer{.blob = {.diff_id = store::Digest::parse(fields.next()),
                               .digest = store::Digest::parse(fields.next())}};
    layer.blob.size = fields.next_number();
    layer.blob.compression = store::compression_of(fields.next());
    layer.of_base = fields.next() == "base";
    shared.layers.push_back(std::move(layer));
  }
  return shared;
}

}  // namespace

store::Descriptor descriptor_of(const store::LayerBlob& blob) {
  return {.media_type = store::layer_media_type(blob.compression),
          .digest = blob.digest,
          .size = blob.size};
}

std::string to_text(const SharedRecord& shared) {
  const store::StepRecord& record = shared.record;
  std::string body;
  put_field(body, kVersion);
  put_field(body, record.key.hex());
  put_field(body, record.title);
  put_field(body, std::to_string(record.created));
  put_field(body, std::to_string(record.created_nanoseconds));
  put_field(body, std::to_string(record.milliseconds));
  put_field(body, std::to_string(record.inputs.size()));
  for (const auto& [name, value] : record.inputs) {
    put_field(body, name);
    put_field(body, value);
  }
  put_field(body, std::to_string(shared.layers.size()));
  for (const SharedLayer& layer : shared.layers) {
    put_field(body, layer.blob.diff_id.text());
    put_field(body, layer.blob.digest.text());
    put_field(body, std::to_string(layer.blob.size));
    put_field(body, store::layer_media_type(layer.blob.compression));
    put_field(body, layer.of_base ? "base" : "step");
  }
  return store::sha256(body).hex() + "\n" + body;
}

std::optional<SharedRecord> shared_record(std::string_view text,
                                          const store::Digest& key) {
  if (text.size() <= kHexDigits) return std::nullopt;
  const std::string_view body = text.substr(kHexDigits + 1);
  if (store::sha256(body).hex() != text.substr(0, kHexDigits))
    return std::nullopt;
  Fields fields(body);
  if (fields.next() != kVersion || fields.next() != key.hex())
    return std::nullopt;
  return read(fields, key);
}

}  // namespace cbuild::builder
