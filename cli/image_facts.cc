#include "cli/image_facts.h"

#include <fcntl.h>

#include "base/dir.h"
#include "base/text.h"
#include "cli/find_image.h"

namespace cbuild::cli {
namespace {

constexpr const char* kFile = "image-facts";

std::optional<store::Digest> digest_of(const std::string& hex) {
  return store::Digest::try_parse("sha256:" + hex);
}

}  // namespace

ImageFactsTable::ImageFactsTable(store::Store& store) : store_(store) {
  const auto text = read_file(store.root() + "/" + kFile);
  if (!text) return;
  for (const std::string& line : split(*text, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() != 4) continue;
    const auto manifest = digest_of(words[0]);
    const auto config = digest_of(words[1]);
    const auto bytes = parse_number(words[2]);
    if (manifest && config && bytes)
      before_.emplace(*manifest, ImageFacts{*config, *bytes, words[3]});
  }
}

ImageFacts ImageFactsTable::of(const store::Descriptor& image) {
  if (const auto known = before_.find(image.digest); known != before_.end()) {
    asked_.insert(*known);
    return known->second;
  }
  const store::Image loaded = store_.images.load(image);
  ImageFacts facts{loaded.manifest.config.digest, image_size(store_, loaded),
                   loaded.config.created};
  // Which image of an index is meant depends on the machine; a time with blanks
  // is none, and would be more than one word.
  const bool one_word =
      facts.created.find_first_of(" \t\r\n") == std::string::npos;
  if (!store::is_index(image.media_type) && one_word)
    asked_.emplace(image.digest, facts);
  return facts;
}

void ImageFactsTable::keep(const store::Descriptor& image) {
  if (const auto known = before_.find(image.digest); known != before_.end())
    asked_.insert(*known);
}

void ImageFactsTable::save() {
  if (asked_ == before_) return;
  std::string text;
  for (const auto& [manifest, facts] : asked_)
    text += manifest.hex() + " " + facts.config.hex() + " " +
            std::to_string(facts.bytes) + " " + facts.created + "\n";
  const Fd root = open_path(store_.root(), O_RDONLY | O_DIRECTORY);
  replace_file_at(root.get(), kFile, text, false, 0600);
}

}  // namespace cbuild::cli
