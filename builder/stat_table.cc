// The file: a line "cbuild stat table 2\n" and the records. A record is the
// five numbers of the identity (64 bits each), the digest (32 bytes), the day
// of last use, flags and a check sum of the record (32 bits each), in the
// machine's byte order: a table never leaves its machine. Records are sorted by
// identity and searched in place, and only a record that is used is checked, so
// that a build of one file in a context of a million does not pay for the rest.
#include "builder/stat_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <ctime>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::builder {
namespace {

constexpr std::string_view kHeader = "cbuild stat table 2\n";
constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kRecordSize = 5 * 8 + kDigestSize + 3 * 4;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;
constexpr std::uint32_t kDaysKept = 30;
constexpr std::uint32_t kHasXattrs = 1;

struct Record {
  FileIdentity file = {};
  std::string raw_digest;
  std::uint32_t day = 0;
  std::uint32_t flags = 0;
};

template <typename Number>
void append(std::string& out, Number value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <typename Number>
Number take(std::string_view& from) {
  Number value;
  std::memcpy(&value, from.data(), sizeof value);
  from.remove_prefix(sizeof value);
  return value;
}

// FNV-1a. It tells a record from what a lost page leaves, no more.
std::uint32_t check_sum(std::string_view bytes) {
  std::uint32_t sum = 2166136261u;
  for (const char c : bytes)
    sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

FileIdentity take_identity(std::string_view& from) {
  FileIdentity file;
  file.device = take<std::uint64_t>(from);
  file.inode = take<std::uint64_t>(from);
  file.size = take<std::uint64_t>(from);
  file.mtime = take<std::int64_t>(from);
  file.ctime = take<std::int64_t>(from);
  return file;
}

// nullopt for a damaged record.
std::optional<Record> record_at(std::string_view records, std::size_t index) {
  std::string_view from = records.substr(index * kRecordSize, kRecordSize);
  const std::uint32_t sum = check_sum(from.substr(0, kRecordSize - 4));
  Record record;
  record.file = take_identity(from);
  record.raw_digest = std::string(from.substr(0, kDigestSize));
  from.remove_prefix(kDigestSize);
  record.day = take<std::uint32_t>(from);
  record.flags = take<std::uint32_t>(from);
  if (take<std::uint32_t>(from) != sum) return std::nullopt;
  return record;
}

FileIdentity identity_at(std::string_view records, std::size_t index) {
  records.remove_prefix(index * kRecordSize);
  return take_identity(records);
}

void append_record(std::string& out, const Record& record) {
  const std::size_t begin = out.size();
  append(out, record.file.device);
  append(out, record.file.inode);
  append(out, record.file.size);
  append(out, record.file.mtime);
  append(out, record.file.ctime);
  out += record.raw_digest;
  append(out, record.day);
  append(out, record.flags);
  append(out, check_sum(std::string_view(out).substr(begin)));
}

std::optional<std::size_t> search(std::string_view records,
                                  const FileIdentity& file) {
  std::size_t low = 0;
  std::size_t high = records.size() / kRecordSize;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto order = identity_at(records, middle) <=> file;
    if (order == 0) return middle;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return std::nullopt;
}

std::uint32_t today() {
  return static_cast<std::uint32_t>(StatTable::clock() / kSecond /
                                    kSecondsPerDay);
}

// A file system that keeps whole seconds, or a server with a clock of its own,
// gets two seconds; else the kernel's tick (at most 10 ms) is what counts.
bool trustworthy(const FileIdentity& file, std::int64_t read_at) {
  const bool coarse = file.ctime % kSecond == 0;
  const std::int64_t margin = coarse ? 2 * kSecond : kSecond / 50;
  return file.ctime + margin < read_at;
}

// Wraps in the year 2262; for telling times apart that does no harm.
std::int64_t nanoseconds(const timespec& time) {
  constexpr std::uint64_t second = 1'000'000'000;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) *
                                       second +
                                   static_cast<std::uint64_t>(time.tv_nsec));
}

}  // namespace

FileIdentity identity_of(const struct stat& st) {
  FileIdentity id;
  id.device = st.st_dev;
  id.inode = st.st_ino;
  id.size = static_cast<std::uint64_t>(st.st_size);
  id.mtime = nanoseconds(st.st_mtim);
  id.ctime = nanoseconds(st.st_ctim);
  return id;
}

std::int64_t StatTable::clock() {
  timespec now;
  check(::clock_gettime(CLOCK_REALTIME_COARSE, &now), "clock_gettime", "");
  return std::int64_t{now.tv_sec} * kSecond + now.tv_nsec;
}

StatTable::Mapping::Mapping(const std::string& file) {
  const std::optional<Fd> fd = try_openat(AT_FDCWD, file, O_RDONLY);
  if (!fd) return;
  struct stat st;
  check(::fstat(fd->get(), &st), "stat", file);
  if (st.st_size == 0) return;
  const auto size = static_cast<std::size_t>(st.st_size);
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
  if (at == MAP_FAILED) throw_system_error("mmap", file);
  data_ = {static_cast<const char*>(at), size};
}

StatTable::Mapping::~Mapping() {
  if (data_.empty()) return;
  ::munmap(const_cast<char*>(data_.data()), data_.size());
}

void StatTable::load() {
  if (loaded_) return;
  loaded_ = true;
  mapping_ = Mapping(file_);
  const std::string_view data = mapping_.data();
  if (!data.starts_with(kHeader) ||
      (data.size() - kHeader.size()) % kRecordSize != 0)
    return;
  records_ = data.substr(kHeader.size());
  used_.assign(records_.size() / kRecordSize, '\0');
}

std::optional<FileFacts> StatTable::find(const FileIdentity& file) {
  const std::lock_guard lock(mutex_);
  load();
  if (const auto it = new_.find(file); it != new_.end())
    return it->second.facts;
  const std::optional<std::size_t> index = search(records_, file);
  if (!index) return std::nullopt;
  const std::optional<Record> record = record_at(records_, *index);
  if (!record) return std::nullopt;
  used_[*index] = 1;
  days_changed_ |= record->day != today();
  return FileFacts{store::Digest::from_raw(record->raw_digest),
                   (record->flags & kHasXattrs) != 0};
}

bool StatTable::settled(const FileIdentity& file) {
  if (!find(file)) return false;
  const std::lock_guard lock(mutex_);
  const auto it = new_.find(file);
  return it == new_.end() || it->second.lasting;
}

void StatTable::put(const FileIdentity& file, FileFacts facts,
                    std::int64_t read_at) {
  const bool lasting = trustworthy(file, read_at);
  const std::lock_guard lock(mutex_);
  new_.insert_or_assign(file, New{std::move(facts), lasting});
}

void StatTable::save() {
  const std::lock_guard lock(mutex_);
  if (!worth_saving()) return;
  load();
  const std::string out = merged();
  const std::size_t slash = file_.rfind('/');
  make_dirs(file_.substr(0, slash));
  const Fd directory =
      open_path(file_.substr(0, slash), O_RDONLY | O_DIRECTORY);
  replace_file_at(directory.get(), file_.substr(slash + 1), out, false);
  new_.clear();
  days_changed_ = false;
  loaded_ = false;
  records_ = {};
  mapping_ = {};
  used_.clear();
}

bool StatTable::worth_saving() const {
  if (days_changed_) return true;
  for (const auto& [file, known] : new_)
    if (known.lasting) return true;
  return false;
}

std::string StatTable::merged() const {
  const std::uint32_t day = today();
  std::string out(kHeader);
  out.reserve(out.size() + records_.size() + new_.size() * kRecordSize);
  auto next = new_.begin();
  // Appends what is new and sorts before `limit`; all of it without a limit.
  const auto append_new = [&](const FileIdentity* limit) {
    for (; next != new_.end() && (!limit || next->first < *limit); ++next) {
      const New& known = next->second;
      if (!known.lasting) continue;
      append_record(out, {next->first, known.facts.content.raw(), day,
                          known.facts.has_xattrs ? kHasXattrs : 0});
    }
  };
  for (std::size_t i = 0; i < used_.size(); ++i) {
    std::optional<Record> old = record_at(records_, i);
    if (!old) continue;
    if (used_[i]) old->day = day;
    append_new(&old->file);
    const bool replaced =
        next != new_.end() && next->first == old->file && next->second.lasting;
    if (!replaced && old->day + kDaysKept >= day) append_record(out, *old);
  }
  append_new(nullptr);
  return out;
}

}  // namespace cbuild::builder
