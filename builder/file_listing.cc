#include "builder/file_listing.h"

#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "store/digest.h"

namespace cbuild::builder {
namespace {

constexpr std::size_t kHexDigits = 16;
constexpr std::size_t kNamed = 2;  // of several files, how many are named

std::string octal(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

std::string owner(const ListedFile& file) {
  return std::to_string(file.uid) + ":" + std::to_string(file.gid);
}

std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c == '\n')
      text += "\\n";
    else if (c == '\\')
      text += "\\\\";
    else
      text += c;
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size())
      path += text[i];
    else
      path += text[++i] == 'n' ? '\n' : text[i];
  }
  return path;
}

std::uint32_t number(std::string_view text, int base) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// "a, b and 3 more".
std::string names(const std::vector<std::string>& paths) {
  std::string text;
  for (std::size_t i = 0; i < paths.size() && i < kNamed; ++i)
    text += (i == 0 ? "" : ", ") + (paths[i].empty() ? "." : paths[i]);
  if (paths.size() > kNamed)
    text += " and " + std::to_string(paths.size() - kNamed) + " more";
  return text;
}

std::string count(const std::vector<std::string>& paths) {
  return std::to_string(paths.size()) +
         (paths.size() == 1 ? " file" : " files");
}

}  // namespace

void FileListing::add(const std::string& path, ListedFile file) {
  if (file.content.size() > kHexDigits) file.content.resize(kHexDigits);
  if (files_.size() < kMaxFiles || files_.contains(path))
    files_[path] = std::move(file);
  else
    add_to_rest(path, file);
}

void FileListing::add_to_rest(const std::string& path, const ListedFile& file) {
  const std::string top = path.substr(0, path.find('/'));
  ListedFile& sum = files_[top + "/..."];
  sum.type = "rest";
  sum.content = store::sha256(sum.content + path + "\n" + file.type +
                              octal(file.mode) + owner(file) + file.content)
                    .hex()
                    .substr(0, kHexDigits);
}

std::string FileListing::text() const {
  std::string text;
  for (const auto& [path, file] : files_)
    text += file.type + " " + octal(file.mode) + " " + owner(file) + " " +
            (file.content.empty() ? "-" : file.content) + " " + escaped(path) +
            "\n";
  return text;
}

FileListing FileListing::parse(std::string_view text) {
  FileListing listing;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    std::string_view words[4];
    bool whole = true;
    for (std::string_view& word : words) {
      const std::size_t blank = line.find(' ');
      whole &= blank != line.npos;
      word = line.substr(0, blank);
      line.remove_prefix(blank == line.npos ? line.size() : blank + 1);
    }
    if (!whole) continue;
    const std::size_t colon = words[2].find(':');
    ListedFile& file = listing.files_[unescaped(line)];
    file.type = words[0];
    file.mode = number(words[1], 8);
    file.uid = number(words[2].substr(0, colon), 10);
    if (colon != words[2].npos)
      file.gid = number(words[2].substr(colon + 1), 10);
    file.content = words[3] == "-" ? "" : words[3];
  }
  return listing;
}

std::vector<std::string> FileListing::changes_since(
    const FileListing& earlier) const {
  std::vector<std::string> content, added, removed;
  std::map<std::string, std::vector<std::string>> others;  // what -> files
  for (const auto& [path, now] : files_) {
    const auto found = earlier.files_.find(path);
    if (found == earlier.files_.end()) {
      added.push_back(path);
      continue;
    }
    const ListedFile& before = found->second;
    if (before.type != now.type)
      others["type " + before.type + " -> " + now.type].push_back(path);
    else if (before.content != now.content)
      content.push_back(path);
    if (before.mode != now.mode)
      others["mode " + octal(before.mode) + " -> " + octal(now.mode)].push_back(
          path);
    if (owner(before) != owner(now))
      others["owner " + owner(before) + " -> " + owner(now)].push_back(path);
  }
  for (const auto& [path, before] : earlier.files_)
    if (!files_.contains(path)) removed.push_back(path);

  std::vector<std::string> clauses;
  if (!content.empty()) clauses.push_back(names(content) + ": content");
  for (const auto& [what, paths] : others)
    clauses.push_back(paths.size() == 1 ? names(paths) + ": " + what
                                        : what + " on " + count(paths));
  if (!added.empty())
    clauses.push_back(count(added) + " added (" + names(added) + ")");
  if (!removed.empty())
    clauses.push_back(count(removed) + " removed (" + names(removed) + ")");
  return clauses;
}

}  // namespace cbuild::builder
