#include "builder/context_listing.h"

#include <unistd.h>

#include "base/text.h"
#include "builder/local_context.h"

namespace cbuild::builder {
namespace {

class Listing {
 public:
  Listing(const FileView& view, const IgnoreRules& ignore, bool sizes)
      : view_(view), ignore_(ignore), sizes_(sizes) {}

  std::vector<ContextItem> take() {
    walk("");
    return std::move(items_);
  }

 private:
  void walk(const std::string& directory) {
    for (const ViewEntry& entry : view_.list_all(directory)) {
      const std::string path =
          directory.empty() ? entry.name : directory + "/" + entry.name;
      ContextItem item{path, entry.type, entry.size, {}, {}};
      if (view_.ignore().matches(path)) {
        // It may hold what a later line brings back.
        if (entry.directory() && view_.find(path)) {
          walk(path);
          continue;
        }
        exclude(item);
      } else if (entry.directory()) {
        const std::size_t before = items_.size();
        walk(path);
        if (items_.size() != before) continue;
      }
      items_.push_back(std::move(item));
    }
  }

  void exclude(ContextItem& item) const {
    const auto index =
        static_cast<std::size_t>(view_.ignore().deciding_pattern(item.path));
    item.place = ignore_.places.at(index);
    item.pattern = ignore_.patterns.at(index);
    if (sizes_ && item.type == store::EntryType::directory)
      item.size = size_below(item.path);
  }

  std::uint64_t size_below(const std::string& directory) const {
    std::uint64_t sum = 0;
    for (const ViewEntry& entry : view_.list_all(directory))
      sum += entry.directory() ? size_below(directory + "/" + entry.name)
                               : entry.size;
    return sum;
  }

  const FileView& view_;
  const IgnoreRules& ignore_;
  bool sizes_;
  std::vector<ContextItem> items_;
};

// Only its place matters: an ignore file may stand beside it.
DockerfileText dockerfile_of(const BuildRequest& request) {
  if (!request.dockerfile.empty() || request.dockerfile_text)
    return read_local_dockerfile(request);
  const std::string usual = request.context + "/Dockerfile";
  return {"Dockerfile", ::access(usual.c_str(), F_OK) == 0 ? usual : "", ""};
}

}  // namespace

std::vector<ContextItem> list_context(const BuildRequest& request, bool sizes) {
  if (!is_directory(request.context))
    throw UsageError("unable to prepare context: path " +
                     go_quote(request.context) + " not found");
  const IgnoreRules ignore =
      ignore_rules(request.context, dockerfile_of(request).path);
  // No content is read, so that there is nothing for a stat table.
  const FileView view = FileView::of_directory(
      request.context, parser::IgnoreMatcher(ignore.patterns), "",
      ignore.places);
  return Listing(view, ignore, sizes).take();
}

}  // namespace cbuild::builder
