// What the files that a COPY or ADD selects contribute to its key.
//
// One digest per source argument, over a line for every entry in the order of
// the walk, which is that of the names and not of the file system. A line holds
// what reaches the image and nothing else:
//
//   - the name it lands under, relative to the match
//   - type; link target; device numbers; content
//   - mode as it will land, so that an octal --chmod hides the source's; the
//     owner where it is kept; the xattrs a copy keeps
//   - which earlier name of the same file it is a hard link to
//
// The top directory gives its contents only, its mode and owner do not land.
// Files of a context count as owned by 0:0, which is how they land, so that
// equal bytes from a context and from a stage have one key.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <thread>

#include "base/cgroups.h"
#include "base/workers.h"
#include "builder/copy_files.h"
#include "builder/copy_select.h"
#include "store/content_digest.h"

namespace cbuild::builder {
namespace {

// Every field is preceded by its length, and how many fields an entry has can
// be told from those before, so that no two selections give the same bytes.
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

const char* type_name(store::EntryType type) {
  using store::EntryType;
  switch (type) {
    case EntryType::file:
      return "file";
    case EntryType::directory:
      return "directory";
    case EntryType::symlink:
      return "link";
    default:
      return "special";
  }
}

class SourceKey {
 public:
  SourceKey(const CopySpec& spec, const FileView& from, const Source& source,
            FileListing* listing)
      : from_(from),
        listing_(listing),
        filter_(spec, source),
        source_(source),
        renamed_(spec.renamed),
        keeps_owner_(spec.chown.empty()) {
    if (!spec.chmod.empty()) mode_ = ModeChange::parse(spec.chmod);
  }

  store::Digest digest() {
    for (const Match& match : resolve_source(from_, source_)) {
      links_.clear();
      fields_.add(match.entry.directory() ? "directory" : "file");
      if (match.entry.directory())
        add_directory(match);
      else
        add({match.entry, match.path, renamed_ ? "" : match.name, true});
      hash_batch();
      fields_.add("end");
    }
    if (source_.required && !met_)
      throw_not_found(from_, source_.required->substr(1));
    return fields_.finish();
  }

 private:
  // What one line is made of.
  struct Item {
    ViewEntry entry;
    std::string path;  // in the view
    std::string name;  // relative to the match
    bool included = true;
  };

  void add_directory(const Match& match) {
    SelectionWalk walk(from_, filter_, match);
    pending_.clear();
    while (const auto step = walk.next()) {
      using Kind = SelectionWalk::Step::Kind;
      if (step->kind == Kind::leave) {
        if (!pending_.empty() && pending_.back().name == step->relative)
          pending_.pop_back();
      } else if (step->relative.empty()) {
        continue;
      } else if (!step->included) {
        pending_.push_back({*step->entry, step->path, step->relative, false});
      } else {
        for (Item& directory : pending_) add(std::move(directory));
        pending_.clear();
        add({*step->entry, step->path, step->relative, true});
        note_required(match, step->relative);
      }
    }
  }

  void add(Item item) {
    batch_.push_back(std::move(item));
    if (batch_.size() == kBatchSize) hash_batch();
  }

  void hash_batch() {
    read_unknown();
    for (const Item& item : batch_) hash(item);
    batch_.clear();
  }

  // Much that nobody has read yet is read by several threads; the order of the
  // lines does not depend on it.
  void read_unknown() {
    std::vector<const Item*> unknown;
    std::uint64_t bytes = 0;
    for (const Item& item : batch_) {
      if (item.entry.type != store::EntryType::file ||
          from_.known_content(item.entry))
        continue;
      unknown.push_back(&item);
      bytes += item.entry.size;
    }
    if (unknown.size() < kWorthThreads && bytes < kWorthBytes) return;
    if (!workers_) workers_.emplace(std::clamp(usable_cpus(), 2u, 8u));
    // A large file has threads of its own: see hash().
    for (const Item* item : unknown)
      if (item->entry.size < store::kLargeContent)
        workers_->submit(
            [this, item] { from_.content(item->path, item->entry); });
    workers_->wait();
  }

  void note_required(const Match& match, const std::string& relative) {
    if (!source_.required || met_) return;
    const std::string path =
        (source_.path.empty() ? "" : "/" + source_.path) + "/" + relative;
    met_ = path.starts_with(*source_.required) && match.entry.directory();
    // A link that is the source itself must lead somewhere, as without
    // --parents.
    const bool at_top = path == *source_.required && path.rfind('/') == 0;
    if (met_ && at_top && !from_.resolve(relative))
      throw_not_found(from_, relative);
  }

  void hash(const Item& item) {
    using store::EntryType;
    const ViewEntry& entry = item.entry;
    fields_.add("entry");
    fields_.add(item.name);
    fields_.add(static_cast<std::uint64_t>(entry.type));
    if (entry.type != EntryType::symlink) hash_mode(entry, item.included);
    if (keeps_owner_) fields_.add(entry.uid);
    if (keeps_owner_) fields_.add(entry.gid);
    switch (entry.type) {
      case EntryType::file:
        hash_content(item);
        break;
      case EntryType::symlink:
        fields_.add(from_.link_target(item.path, entry));
        break;
      case EntryType::character_device:
      case EntryType::block_device:
        fields_.add(entry.dev_major);
        fields_.add(entry.dev_minor);
        break;
      default:
        break;
    }
    if (listing_ != nullptr) list(item);
    const auto xattrs = from_.xattrs(item.path, entry);
    fields_.add(xattrs.size());
    for (const auto& [key, value] : xattrs) {
      fields_.add(key);
      fields_.add(value);
    }
  }

  void list(const Item& item) {
    using store::EntryType;
    const ViewEntry& entry = item.entry;
    ListedFile file;
    file.type = type_name(entry.type);
    if (entry.type == EntryType::file)
      file.content = from_.content(item.path, entry).hex();
    if (entry.type == EntryType::symlink)
      file.content = store::sha256(from_.link_target(item.path, entry)).hex();
    else
      file.mode =
          mode_ ? mode_->apply(entry.mode, entry.directory()) : entry.mode;
    if (keeps_owner_) {
      file.uid = entry.uid;
      file.gid = entry.gid;
    }
    listing_->add(item.path, std::move(file));
  }

  // A directory on the way gives an existing one its own mode, whatever
  // --chmod says.
  void hash_mode(const ViewEntry& entry, bool included) {
    const std::uint64_t mode = entry.mode;
    fields_.add(mode_ ? mode_->apply(entry.mode, entry.directory()) : mode);
    fields_.add(mode_ && !included ? std::to_string(mode) : std::string());
  }

  void hash_content(const Item& item) {
    fields_.add(from_.content(item.path, item.entry).raw());
    const std::string id = from_.link_id(item.path, item.entry);
    std::string earlier;
    if (!id.empty()) {
      const auto [it, first] = links_.emplace(id, item.name);
      if (!first) earlier = it->second;
    }
    fields_.add(earlier);
  }

  static constexpr std::size_t kBatchSize = 1024;
  static constexpr std::size_t kWorthThreads = 16;  // files, or else bytes:
  static constexpr std::uint64_t kWorthBytes = std::uint64_t{4} << 20;

  const FileView& from_;
  FileListing* listing_;  // or nullptr
  CopyFilter filter_;
  const Source& source_;
  std::optional<ModeChange> mode_;
  bool renamed_;
  bool keeps_owner_;
  bool met_ = false;  // --parents: the required path was there
  FieldHasher fields_;
  std::vector<Item> pending_;  // directories that have nothing in them so far
  std::vector<Item> batch_;
  std::optional<Workers> workers_;
  std::map<std::string, std::string> links_;  // link id -> first name
};

store::Digest digest_of(const CopySpec& spec, const FileView& from,
                        std::size_t number, FileListing* listing) {
  try {
    const Source source = parse_source(spec, spec.sources[number]);
    return SourceKey(spec, from, source, listing).digest();
  } catch (MissingSource& e) {
    e.source = number;
    throw;
  }
}

}  // namespace

store::KeyInputs copy_key_inputs(const CopySpec& spec, const FileView& from,
                                 FileListings* listings) {
  store::KeyInputs inputs;
  for (std::size_t i = 0; i < spec.sources.size(); ++i) {
    FileListing listing;
    const store::Digest digest =
        digest_of(spec, from, i, listings ? &listing : nullptr);
    if (listings) listings->emplace(digest.text(), std::move(listing));
    inputs.emplace_back("files " + spec.sources[i], digest.text());
  }
  for (const InlineFile& file : spec.inline_files)
    inputs.emplace_back("heredoc " + file.name,
                        store::sha256(file.content).text());
  return inputs;
}

}  // namespace cbuild::builder
