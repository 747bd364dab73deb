#include "builder/copy_select.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace cbuild::builder {
namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// Cleaned with the root as "/", then without the leading slash.
std::string relative_path(const std::string& path) {
  return clean_path("/" + path).substr(1);
}

// Splits before the first component that has a wildcard.
struct WildcardSplit {
  std::string fixed;
  std::string pattern;  // empty: no wildcard
};

WildcardSplit split_wildcards(const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  const auto first = std::find_if(
      parts.begin(), parts.end(),
      [](const std::string& part) { return parser::has_glob(part); });
  return {join({parts.begin(), first}, "/"), join({first, parts.end()}, "/")};
}

// A malformed pattern is the user's mistake.
template <typename Compile>
auto or_mistake(Compile&& compile) {
  try {
    return compile();
  } catch (const Error& e) {
    throw MissingSource(e.what());
  }
}

// Finds what a pattern matches below one directory. A directory that matches is
// not looked into.
class PatternSearch {
 public:
  PatternSearch(const FileView& from, const std::string& pattern)
      : from_(from), pattern_(pattern), parts_(split(pattern, '/')) {
    // In Go a negated class matches a slash too, so that a component of the
    // path need not match one of the pattern.
    by_component_ = pattern.find('[') == std::string::npos;
    or_mistake([&] { return parser::glob_match(pattern, ""); });
  }

  std::vector<std::string> below(const std::string& base) {
    base_ = base;
    look_into(base, "", 0);
    return std::move(found_);
  }

 private:
  void look_into(const std::string& directory, const std::string& relative,
                 std::size_t depth) {
    for (const ViewEntry& entry : from_.list(directory)) {
      const std::string path = joined(relative, entry.name);
      if (parser::glob_match(pattern_, path))
        found_.push_back(joined(base_, path));
      else if (entry.directory() && worth_a_look(entry.name, depth))
        look_into(joined(directory, entry.name), path, depth + 1);
    }
  }

  bool worth_a_look(const std::string& name, std::size_t depth) const {
    if (!by_component_) return true;
    return depth + 1 < parts_.size() && parser::glob_match(parts_[depth], name);
  }

  const FileView& from_;
  const std::string& pattern_;
  std::vector<std::string> parts_;
  bool by_component_;
  std::string base_;
  std::vector<std::string> found_;
};

Match match_named(const FileView& from, const std::string& named,
                  const std::string& resolved) {
  std::optional<ViewEntry> entry = from.find(resolved);
  if (!entry || entry->type == store::EntryType::socket)
    throw_not_found(from, named);
  return {resolved, base_name(named), std::move(*entry)};
}

// Whether the last component is one; those before it are followed.
bool is_link(const FileView& from, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const auto holder =
      from.resolve(slash == std::string::npos ? "" : path.substr(0, slash));
  if (!holder) return false;
  const auto entry = from.find(joined(*holder, base_name(path)));
  return entry && entry->type == store::EntryType::symlink;
}

// A loop of links is the user's mistake, a directory that cannot be read is
// none.
std::optional<std::string> resolve(const FileView& from,
                                   const std::string& path) {
  try {
    return from.resolve(path);
  } catch (const SystemError&) {
    throw;
  } catch (const Error& e) {
    throw MissingSource(e.what());
  }
}

// " (excluded by ...)", or "" where nothing more is known.
std::string why_missing(const FileView& from, const std::string& path) {
  std::string reason = from.reason_absent(path);
  const std::optional<ViewEntry> entry = from.find(path);
  if (entry && entry->type == store::EntryType::socket)
    reason = "it is a socket";
  if (entry && entry->type == store::EntryType::symlink) {
    const std::string target = from.link_target(path, *entry);
    const std::string place =
        target.starts_with('/') ? target : "/" + path + "/../" + target;
    reason = from.reason_absent(clean_path(place).substr(1));
    if (reason.empty()) reason = "missing";
    reason = "it links to " + target + ", " + reason;
  }
  return reason.empty() ? reason : " (" + reason + ")";
}

}  // namespace

void throw_not_found(const FileView& from, const std::string& path) {
  throw MissingSource(
      "failed to compute cache key: failed to calculate checksum of ref: " +
      go_quote("/" + path) + ": not found" + why_missing(from, path));
}

Source parse_source(const CopySpec& spec, const std::string& argument) {
  Source source;
  source.argument = argument;
  source.filtered = !spec.exclude.empty();
  if (!spec.parents) {
    source.path = relative_path(argument);
    return source;
  }
  const std::size_t pivot = argument.find("/./");
  const bool whole = pivot == std::string::npos;
  const std::string before = whole ? "/" : argument.substr(0, pivot);
  const std::string after = whole ? argument : argument.substr(pivot + 3);
  source.path = relative_path(before);
  source.pattern = relative_path(after);
  if (!parser::has_glob(before) && !parser::has_glob(*source.pattern))
    source.required = clean_path("/" + source.path + "/" + *source.pattern);
  return source;
}

Match match_of(const FileView& from, const std::string& path) {
  return match_named(from, path, path);
}

std::vector<Match> resolve_source(const FileView& from, const Source& source) {
  std::vector<Match> matches;
  const WildcardSplit parts = split_wildcards(source.path);
  const std::optional<std::string> base = resolve(from, parts.fixed);
  if (parts.pattern.empty()) {
    if (!base && source.required)
      throw_not_found(from, source.required->substr(1));
    // With a filter the digest of nothing is fine, and the copy fails.
    if (!base && source.filtered)
      throw MissingSource("lstat /" + source.path +
                          ": no such file or directory" +
                          why_missing(from, source.path));
    if (!base) throw_not_found(from, source.path);
    // What --parents must find it does not look for below a link.
    if (source.required && is_link(from, source.path))
      throw_not_found(from, source.required->substr(1));
    matches.push_back(match_named(from, source.path, *base));
    return matches;
  }
  PatternSearch search(from, parts.pattern);
  if (!base)
    throw MissingSource("lstat /" + parts.fixed +
                        ": no such file or directory");
  for (const std::string& path : search.below(*base)) {
    const std::optional<std::string> resolved = resolve(from, path);
    if (!resolved) throw_not_found(from, path);
    Match match = match_named(from, path, *resolved);
    // Of a context "*/./x" sends no files; from a stage they are copied too.
    if (source.pattern && !match.entry.directory() && from.is_context())
      continue;
    matches.push_back(std::move(match));
  }
  return matches;
}

CopyFilter::CopyFilter(const CopySpec& spec, const Source& source)
    : exclude_(
          or_mistake([&] { return parser::IgnoreMatcher(spec.exclude); })) {
  if (!source.pattern) return;
  include_ = or_mistake([&] {
    return parser::IgnoreMatcher(std::vector<std::string>{*source.pattern});
  });
  fixed_ = split_wildcards(*source.pattern).fixed;
}

bool CopyFilter::includes(const std::string& path) const {
  if (include_ && !include_->matches(path)) return false;
  return exclude_.empty() || !exclude_.matches(path);
}

bool CopyFilter::may_include_below(const std::string& path) const {
  if (include_) {
    // A pattern also takes what is below a directory it matches, so it can only
    // be ruled out by its fixed part.
    const std::size_t shorter = std::min(path.size(), fixed_.size());
    if (path.compare(0, shorter, fixed_, 0, shorter) != 0) return false;
    const std::string& longer = path.size() > shorter ? path : fixed_;
    if (shorter > 0 && longer.size() > shorter && longer[shorter] != '/')
      return false;
  }
  if (exclude_.empty() || !exclude_.matches(path)) return true;
  return exclude_.has_exclusions() && !exclude_.can_prune(path);
}

SelectionWalk::SelectionWalk(const FileView& from, const CopyFilter& filter,
                             const Match& match)
    : from_(from), filter_(filter), match_(match) {}

SelectionWalk::Step SelectionWalk::enter(ViewEntry entry, std::string path,
                                         std::string relative, bool included) {
  Frame frame;
  frame.self = std::move(entry);
  frame.included = included;
  frame.entries = from_.list(path);
  frame.path = std::move(path);
  frame.relative = std::move(relative);
  open_.push_back(std::move(frame));
  const Frame& top = open_.back();
  return {Step::Kind::enter, &top.self, top.path, top.relative, included};
}

std::optional<SelectionWalk::Step> SelectionWalk::next() {
  left_.reset();
  if (!started_) {
    started_ = true;
    return enter(match_.entry, match_.path, "", true);
  }
  while (!open_.empty()) {
    Frame& top = open_.back();
    if (top.position == top.entries.size()) {
      left_ = std::move(top);
      open_.pop_back();
      return Step{Step::Kind::leave, &left_->self, left_->path, left_->relative,
                  left_->included};
    }
    ViewEntry& entry = top.entries[top.position++];
    std::string relative = joined(top.relative, entry.name);
    std::string path = joined(top.path, entry.name);
    if (entry.type == store::EntryType::socket) {
      if (filter_.includes(relative) && sockets_++ == 0)
        first_socket_ = std::move(path);
      continue;
    }
    const bool included = filter_.includes(relative);
    if (entry.directory()) {
      if (included || filter_.may_include_below(relative))
        return enter(std::move(entry), std::move(path), std::move(relative),
                     included);
    } else if (included) {
      return Step{Step::Kind::file, &entry, std::move(path),
                  std::move(relative), true};
    }
  }
  return std::nullopt;
}

}  // namespace cbuild::builder
