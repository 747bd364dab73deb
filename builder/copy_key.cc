// What the files that a COPY or ADD selects contribute to its key.
//
// One digest per source argument, over a line for every entry in the order of
// the walk, which is that of the names and not of the file system. A line holds
// what reaches the image and nothing else:
//
//   - the name it lands under, relative to the match
//   - type; link target; device numbers; content
//   - mode as it will land, so that an octal --chmod hides the source's; the
//     owner where it is kept, so never of a context; the xattrs a copy keeps
//   - which earlier name of the same file it is a hard link to
//
// The top directory gives its contents only, its mode and owner do not land.
#include <map>
#include <string_view>

#include "builder/copy_files.h"
#include "builder/copy_select.h"

namespace cbuild::builder {
namespace {

// Every field is preceded by its length, so that no two lists of fields can
// give the same bytes.
class FieldHasher {
 public:
  void add(std::string_view field) {
    buffer_ += std::to_string(field.size());
    buffer_ += ':';
    buffer_ += field;
    if (buffer_.size() >= kFlushAt) flush();
  }
  void add(std::uint64_t number) { add(std::to_string(number)); }
  store::Digest finish() {
    flush();
    return hasher_.finish();
  }

 private:
  static constexpr std::size_t kFlushAt = 64 * 1024;

  void flush() {
    hasher_.update(buffer_);
    buffer_.clear();
  }

  store::Hasher hasher_;
  std::string buffer_;
};

class SourceKey {
 public:
  SourceKey(const CopySpec& spec, const FileView& from, const Source& source)
      : from_(from), filter_(spec, source), source_(source),
        keeps_owner_(spec.chown.empty() && !from.is_context()) {
    if (!spec.chmod.empty()) mode_ = ModeChange::parse(spec.chmod);
  }

  store::Digest digest() {
    for (const Match& match : resolve_source(from_, source_)) {
      links_.clear();
      fields_.add("match");
      if (match.entry.directory()) {
        add_directory(match);
      } else {
        add_entry(match.entry, match.path, match.name, true);
      }
    }
    if (source_.required && !met_)
      throw_not_found(from_, source_.required->substr(1));
    return fields_.finish();
  }

 private:
  void add_directory(const Match& match) {
    SelectionWalk walk(from_, filter_, match);
    pending_.clear();
    while (const auto step = walk.next()) {
      using Kind = SelectionWalk::Step::Kind;
      if (step->kind == Kind::leave) {
        if (!pending_.empty() && pending_.back().relative == step->relative)
          pending_.pop_back();
      } else if (step->relative.empty()) {
        fields_.add("directory");
      } else if (!step->included) {
        pending_.push_back({*step->entry, step->path, step->relative});
      } else {
        add_pending();
        add_entry(*step->entry, step->path, step->relative, true);
        note_required(match, step->relative);
      }
    }
  }

  // Directories that are only there because something in them is.
  void add_pending() {
    for (const Pending& directory : pending_)
      add_entry(directory.entry, directory.path, directory.relative, false);
    pending_.clear();
  }

  void note_required(const Match& match, const std::string& relative) {
    if (!source_.required || met_) return;
    const std::string path =
        (source_.path.empty() ? "" : "/" + source_.path) + "/" + relative;
    met_ = path.starts_with(*source_.required) && match.entry.directory();
  }

  void add_entry(const ViewEntry& entry, const std::string& path,
                 const std::string& name, bool included) {
    using store::EntryType;
    fields_.add(name);
    fields_.add(static_cast<std::uint64_t>(entry.type));
    if (entry.type != EntryType::symlink) add_mode(entry, included);
    if (keeps_owner_) fields_.add(entry.uid);
    if (keeps_owner_) fields_.add(entry.gid);
    switch (entry.type) {
      case EntryType::file: add_content(entry, path, name); break;
      case EntryType::symlink:
        fields_.add(from_.link_target(path, entry));
        break;
      case EntryType::character_device:
      case EntryType::block_device:
        fields_.add(entry.dev_major);
        fields_.add(entry.dev_minor);
        break;
      default: break;
    }
    for (const auto& [key, value] : from_.xattrs(path, entry)) {
      fields_.add(key);
      fields_.add(value);
    }
  }

  // A directory on the way gives an existing one its own mode, whatever
  // --chmod says.
  void add_mode(const ViewEntry& entry, bool included) {
    fields_.add(mode_ ? mode_->apply(entry.mode, entry.directory())
                      : entry.mode);
    if (mode_ && !included) fields_.add(entry.mode);
  }

  void add_content(const ViewEntry& entry, const std::string& path,
                   const std::string& name) {
    fields_.add(from_.content(path, entry).raw());
    const std::string id = from_.link_id(path, entry);
    if (id.empty()) return;
    const auto [it, first] = links_.emplace(id, name);
    if (first) return;
    fields_.add("link");
    fields_.add(it->second);
  }

  struct Pending {
    ViewEntry entry;
    std::string path;
    std::string relative;
  };

  const FileView& from_;
  CopyFilter filter_;
  const Source& source_;
  std::optional<ModeChange> mode_;
  bool keeps_owner_;
  bool met_ = false;  // --parents: the required path was there
  FieldHasher fields_;
  std::vector<Pending> pending_;
  std::map<std::string, std::string> links_;  // link id -> first name
};

}  // namespace

store::KeyInputs copy_key_inputs(const CopySpec& spec, const FileView& from) {
  store::KeyInputs inputs;
  for (const std::string& argument : spec.sources) {
    const Source source = parse_source(spec, argument);
    const store::Digest digest = SourceKey(spec, from, source).digest();
    inputs.emplace_back("files " + argument, digest.text());
  }
  for (const InlineFile& file : spec.inline_files)
    inputs.emplace_back("heredoc " + file.name,
                        store::sha256(file.content).text());
  return inputs;
}

}  // namespace cbuild::builder
