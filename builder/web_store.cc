#include "builder/web_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/dir.h"
#include "base/text.h"
#include "builder/copy_target.h"
#include "registry/web.h"

namespace cbuild::builder {
namespace {

std::string record_name(const std::string& url, const std::string& name) {
  return store::sha256(url + "\n" + name).hex();
}

std::string record_text(const WebCopy& copy) {
  return "digest " + copy.digest.text() + "\nsize " +
         std::to_string(copy.size) + "\netag " + copy.etag + "\nmodified " +
         copy.last_modified + "\n";
}

// nullopt for what is no record.
std::optional<WebCopy> parse_record(const std::string& text) {
  std::optional<store::Digest> digest;
  std::optional<std::uint64_t> size;
  std::string etag;
  std::string modified;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const std::string key = line.substr(0, blank);
    const std::string value = line.substr(blank + 1);
    if (key == "digest") digest = store::Digest::try_parse(value);
    if (key == "size") size = parse_number(value);
    if (key == "etag") etag = value;
    if (key == "modified") modified = value;
  }
  if (!digest || !size) return std::nullopt;
  return WebCopy{*digest, *size, etag, modified};
}

}  // namespace

std::optional<std::int64_t> WebCopy::time() const {
  return registry::parse_http_date(last_modified);
}

std::string WebStore::directory(const std::string& name,
                                const WebCopy& copy) const {
  const std::string identity = name + "\n" + copy.digest.text() + "\n" +
                               std::to_string(copy.time().value_or(0));
  return store_.root() + "/web/files/" + store::sha256(identity).hex();
}

void WebStore::hold(const std::string& place) const {
  store_.hold(place.substr(store_.root().size() + 1));
}

std::optional<WebCopy> WebStore::find(const std::string& url,
                                      const std::string& name) const {
  const auto text =
      read_file(store_.root() + "/web/urls/" + record_name(url, name));
  if (!text) return std::nullopt;
  std::optional<WebCopy> copy = parse_record(*text);
  if (!copy) return std::nullopt;
  const std::string place = directory(name, *copy);
  hold(place);
  struct stat st;
  if (::lstat((place + "/" + name).c_str(), &st) != 0 ||
      static_cast<std::uint64_t>(st.st_size) != copy->size)
    return std::nullopt;
  // Prune goes by this time; the file's own is what ADD copies.
  check(::utimensat(AT_FDCWD, place.c_str(), nullptr, 0), "set the time of",
        place);
  return copy;
}

void WebStore::put(const std::string& url, const std::string& name,
                   const WebCopy& copy, const std::string& staged,
                   Fd file) const {
  const timespec time = {copy.time().value_or(0), 0};
  const timespec times[2] = {time, time};
  check(::futimens(file.get(), times), "set the time of", name);
  check(::fsync(file.get()), "fsync", name);
  file.close();

  // Also mounted by RUN, whose user need not be root.
  check(::chmod(staged.c_str(), 0755), "chmod", staged);
  // The directory's name says what is in it: if it is there, it is the same.
  const std::string place = directory(name, copy);
  make_dirs(parent_path(place), 0700);
  hold(place);
  if (::rename(staged.c_str(), place.c_str()) != 0 && errno != EEXIST &&
      errno != ENOTEMPTY)
    throw_system_error("rename", place);

  const std::string urls = store_.root() + "/web/urls";
  make_dirs(urls, 0700);
  const Fd dir = open_path(urls, O_RDONLY | O_DIRECTORY);
  replace_file_at(dir.get(), record_name(url, name), record_text(copy), false,
                  0600);
}

}  // namespace cbuild::builder
