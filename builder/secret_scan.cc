#include "builder/secret_scan.h"

#include <fcntl.h>

#include <cstring>
#include <utility>

#include "base/dir.h"
#include "base/text.h"
#include "builder/secret.h"

namespace cbuild::builder {
namespace {

using Secrets = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kChunk = 1 << 20;

void look(const Secrets& secrets, std::string_view text,
          const std::string& path) {
  for (const auto& [id, content] : secrets)
    if (::memmem(text.data(), text.size(), content.data(), content.size()))
      throw Error("secret " + id + " is in " + path +
                  ": the layer is refused (--refuse-secrets)");
}

// In pieces that overlap by what a secret may be cut at.
void look_in_file(const Secrets& secrets, std::size_t longest, int dir,
                  const std::string& name, const std::string& path) {
  const Fd file = openat_path(dir, name, O_RDONLY | O_NOFOLLOW);
  std::string buffer;
  for (;;) {
    const std::size_t kept = buffer.size();
    buffer.resize(kept + kChunk);
    const std::size_t n =
        read_some(file.get(), buffer.data() + kept, kChunk, path);
    buffer.resize(kept + n);
    if (n == 0) return;
    look(secrets, buffer, path);
    if (buffer.size() > longest) buffer.erase(0, buffer.size() - longest);
  }
}

void look_below(const Secrets& secrets, std::size_t longest, int dir,
                const std::string& path) {
  for (const std::string& name : list_dir(dir)) {
    const auto st = lstat_at(dir, name);
    if (!st) continue;
    const std::string below = path + "/" + name;
    if (S_ISDIR(st->st_mode)) {
      const Fd child = openat_path(dir, name, O_RDONLY | O_DIRECTORY);
      look_below(secrets, longest, child.get(), below);
    } else if (S_ISREG(st->st_mode)) {
      look_in_file(secrets, longest, dir, name, below);
    } else if (S_ISLNK(st->st_mode)) {
      look(secrets, readlink_at(dir, name), below);
    }
    look(secrets, name, below);
  }
}

}  // namespace

void refuse_secrets(const BuildRequest& request, const std::string& tree) {
  if (!request.refuse_secrets || request.secrets.empty()) return;
  Secrets secrets;
  std::size_t longest = 0;
  for (const auto& [id, source] : request.secrets) {
    const auto content = read_secret(request, id);
    if (!content) continue;
    const std::string text(trim(*content));
    if (text.size() < 4)
      throw Error("secret " + id +
                  " is too short to be looked for (--refuse-secrets)");
    longest = std::max(longest, text.size());
    secrets.emplace_back(id, text);
  }
  const Fd root = open_path(tree, O_RDONLY | O_DIRECTORY);
  look_below(secrets, longest, root.get(), "");
}

}  // namespace cbuild::builder
