#include "store/image_links.h"

#include <algorithm>
#include <optional>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"
#include "store/compress.h"
#include "store/image.h"
#include "store/remember.h"

namespace cbuild::store {
namespace {

constexpr std::size_t kHexDigits = 64;

std::optional<Digest> digest_at(std::string_view line, std::size_t at) {
  if (at + kHexDigits > line.size()) return std::nullopt;
  try {
    return Digest::from_hex(line.substr(at, kHexDigits));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string line_of(const Digest& manifest, const Links& links) {
  std::string line = manifest.hex() + " " + std::to_string(links.blobs.size());
  for (const auto* digests : {&links.blobs, &links.diff_ids})
    for (const Digest& digest : *digests) line += " " + digest.hex();
  return line;
}

std::optional<Links> links_of(std::string_view line) {
  line.remove_prefix(std::min(line.size(), kHexDigits + 1));
  const std::size_t blank = std::min(line.find(' '), line.size());
  const auto blobs = parse_number(line.substr(0, blank));
  Links links;
  for (line.remove_prefix(blank); !line.empty();
       line.remove_prefix(kHexDigits + 1)) {
    const auto digest = digest_at(line, 1);
    if (!digest) return std::nullopt;
    (links.blobs.size() == blobs ? links.diff_ids : links.blobs)
        .push_back(*digest);
  }
  return links.blobs.size() == blobs ? std::optional(links) : std::nullopt;
}

std::string sum_of(std::string_view lines) {
  return std::to_string(crc32(lines)) + "\n";
}

// The lines of a file that is as it was written, else none.
std::string checked(const std::string& file) {
  const std::size_t end = file.find('\n');
  if (end == std::string::npos) return "";
  std::string lines = file.substr(end + 1);
  return file.substr(0, end + 1) == sum_of(lines) ? lines : "";
}

}  // namespace

ImageLinks::ImageLinks(const std::string& root)
    : root_(root),
      text_(checked(read_file(root + "/image-links").value_or(""))) {
  for (std::string_view rest = text_; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (const auto manifest = digest_at(line, 0)) known_[*manifest] = line;
  }
}

Links ImageLinks::of(const BlobStore& blobs, const Digest& manifest) {
  if (const auto line = known_.find(manifest); line != known_.end())
    if (auto links = links_of(line->second)) {
      asked_[manifest] = line->second;
      return *links;
    }
  const auto text = blobs.read(manifest);
  if (!text) return {};
  const Manifest read = parse_manifest(*text);
  Links links{.blobs = {read.config.digest}, .diff_ids = {}};
  for (const Descriptor& layer : read.layers)
    links.blobs.push_back(layer.digest);
  const auto config = blobs.read(read.config.digest);
  if (!config) return links;
  links.diff_ids = parse_image_config(*config).diff_ids;
  asked_[manifest] = line_of(manifest, links);
  return links;
}

void ImageLinks::save() {
  std::string text;
  for (const auto& [manifest, line] : asked_) text += line + "\n";
  if (text != text_) remember(root_, "image-links", sum_of(text) + text);
}

}  // namespace cbuild::store
