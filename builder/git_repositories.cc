#include "builder/git_repositories.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/dir.h"
#include "base/text.h"
#include "builder/git_checkout.h"
#include "builder/secret.h"
#include "store/lock.h"

namespace cbuild::builder {
namespace {

const std::vector<std::string> kFetch = {"fetch", "--quiet", "--force",
                                         "--no-recurse-submodules"};

[[noreturn]] void fail(const std::string& words) {
  throw registry::RegistryError(words, 0, "");
}

std::string subdirectory(const GitReference& git) {
  return clean_path("/" + git.subdirectory).substr(1);
}

void check_checksum(const GitReference& git, const std::string& first,
                    const std::string& second) {
  const std::string& want = git.checksum;
  if (want.empty() || first.starts_with(want)) return;
  if (!second.empty() && second.starts_with(want)) return;
  const bool two = !second.empty() && second != first;
  fail("expected checksum to match " + want + ", got " + first +
       (two ? " or " + second : ""));
}

// One line of ls-remote: "<id>\t<name>".
struct RemoteRef {
  std::string id;
  std::string name;
};

std::vector<RemoteRef> parse_ls_remote(const std::string& text) {
  std::vector<RemoteRef> refs;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    refs.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return refs;
}

std::string without_prefix(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

// In case of github.com one token serves submodules too, as for
// actions/checkout; else it is for this remote only.
std::string token_scope(const std::string& remote) {
  for (const char* prefix : {"https://github.com/", "https://www.github.com/"})
    if (remote.starts_with(prefix)) return prefix;
  return remote;
}

std::string marker(const std::string& repository) {
  return repository + "/cbuild-ready";
}

// Lock files that a killed git left; nobody else uses the repository now.
void remove_stale_locks(const std::string& repository) {
  for (const char* name : {"shallow.lock", "packed-refs.lock", "config.lock"})
    remove_tree(repository + "/" + name);
}

}  // namespace

GitCommand GitRepositories::command(const GitReference& git) const {
  GitCommand command(environment_.stop);
  if (!git.remote.starts_with("http")) return command;
  std::optional<std::string> header;
  const auto take = [&](const std::string& id, bool token) {
    if (header) return;
    const auto text = read_line_secret(request_, id);
    if (!text) return;
    header =
        token ? "basic " + base64_encode("x-access-token:" + *text) : *text;
  };
  take("GIT_AUTH_HEADER." + git.host, false);
  take("GIT_AUTH_TOKEN." + git.host, true);
  take("GIT_AUTH_HEADER", false);
  take("GIT_AUTH_TOKEN", true);
  if (!header && !git.user_information.empty())
    header = "basic " + base64_encode(git.user_information);
  if (header) command.authorization = {token_scope(git.remote), *header};
  return command;
}

GitRepositories::Commit GitRepositories::resolve(const GitReference& git) {
  std::shared_ptr<Slot> slot;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Slot>& found = slots_[git.remote + "#" + git.ref];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
  }
  const std::lock_guard lock(slot->mutex);
  if (git.checksum.find_first_not_of("0123456789abcdefABCDEF") !=
      std::string::npos)
    fail("invalid checksum " + git.checksum +
         " for Git URL, expected hex commit hash");
  if (is_commit_id(git.ref)) {
    check_checksum(git, git.ref, "");
    return {git.ref, git.ref, git.ref};
  }
  if (git.fetch_by_commit) {
    if (!is_commit_id(git.checksum))
      fail(git.checksum.empty()
               ? "fetch-by-commit requires a checksum or a commit SHA ref"
               : "fetch-by-commit requires a full commit SHA checksum, got " +
                     go_quote(git.checksum));
    std::string ref = git.ref.empty() ? git.checksum : git.ref;
    if (!git.ref.empty() && !ref.starts_with("refs/"))
      ref = "refs/heads/" + ref;
    return {ref, git.checksum, git.checksum};
  }
  if (!slot->commit)
    slot->commit = in_context("failed to fetch remote " + git.remote,
                              [&] { return ask(git); });
  check_checksum(git, slot->commit->object, slot->commit->id);
  return *slot->commit;
}

// Branches go before tags, as git-checkout has it.
GitRepositories::Commit GitRepositories::ask(const GitReference& git) const {
  const GitCommand command = this->command(git);
  if (git.ref.empty()) {
    const auto lines = parse_ls_remote(
        command.run({"ls-remote", "--symref", "--", git.remote, "HEAD"}));
    Commit head;
    for (const RemoteRef& line : lines) {
      if (line.name != "HEAD") continue;
      if (line.id.starts_with("ref: "))
        head.ref = line.id.substr(5);
      else
        head.object = head.id = line.id;
    }
    if (head.ref.empty() || !is_commit_id(head.id))
      fail("could not find default branch for repository: " + git.remote);
    return head;
  }
  const std::string text =
      command.run({"ls-remote", "--", git.remote, git.ref, git.ref + "^{}"});
  const std::string partial = "refs/" + without_prefix(git.ref, "refs/");
  const std::string head =
      "refs/heads/" + without_prefix(git.ref, "refs/heads/");
  const std::string tag = "refs/tags/" + without_prefix(git.ref, "refs/tags/");
  std::map<std::string, std::string> ids;
  for (const RemoteRef& line : parse_ls_remote(text)) ids[line.name] = line.id;
  for (const std::string& name : {partial, head, tag}) {
    const auto found = ids.find(name);
    if (found == ids.end()) continue;
    if (!is_commit_id(found->second))
      fail("invalid commit sha " + go_quote(found->second));
    const auto peeled = ids.find(name + "^{}");
    return {name, found->second,
            peeled == ids.end() ? found->second : peeled->second};
  }
  fail("repository does not contain ref " + git.ref);
}

std::string GitRepositories::identity(const GitReference& git) {
  const Commit commit = resolve(git);
  const bool keep = git.keep_git_dir.value_or(false);
  std::string text = "git " + (keep ? commit.object : commit.id);
  if (keep) text += ".git#" + commit.ref;
  if (const std::string path = subdirectory(git); !path.empty())
    text += ":" + path;
  if (!git.submodules.value_or(true)) text += "(skip-submodules)";
  if (git.commit_times) text += "(mtime=commit)";
  return text;
}

std::string GitRepositories::repository_of(const GitReference& git,
                                           const Commit& commit) const {
  const std::string format = commit.object.size() == 64 ? "sha256" : "sha1";
  return store::sha256(git.remote + "\n" + format).hex();
}

template <typename Use>
auto GitRepositories::with_commit(const GitReference& git, const Commit& commit,
                                  Use&& use) {
  const std::string& root = environment_.store.root();
  const std::string name = repository_of(git, commit);
  const store::FileLock lock(root + "/locks/git-" + name,
                             store::LockMode::exclusive);
  const std::string path = root + "/git/repositories/" + name;
  environment_.store.hold("git/repositories/" + name);
  GitCommand repository = command(git);
  repository.git_dir = path;
  if (!read_file(marker(path))) {
    remove_tree(path);
    make_dirs(path, 0700);
    repository.run({"init", "--quiet", "--bare",
                    std::string("--object-format=") +
                        (commit.object.size() == 64 ? "sha256" : "sha1")});
    open_path(marker(path), O_WRONLY | O_CREAT, 0600).close();
  }
  remove_stale_locks(path);
  in_context("failed to fetch remote " + git.remote,
             [&] { fetch_into(repository, git, commit); });
  return use(repository);
}

// By name first: not every server gives a commit that is asked for by its id.
// Whatever was fetched, only the commit of the key counts.
void GitRepositories::fetch_into(GitCommand& repository,
                                 const GitReference& git,
                                 const Commit& commit) const {
  const std::string kept = "refs/cbuild/" + commit.object;
  const auto have = [&] {
    return repository.try_run({"cat-file", "-e", commit.object + "^{commit}"})
        .has_value();
  };
  const auto fetch = [&](const std::string& what, bool deep) {
    std::vector<std::string> words = kFetch;
    if (!deep) words.push_back("--depth=1");
    words.insert(words.end(),
                 {"--no-tags", "--", git.remote, "+" + what + ":" + kept});
    return repository.try_run(words) && have();
  };
  bool here = have();
  for (const bool deep : {false, true})
    for (const std::string& what : {commit.ref, commit.object})
      here = here || fetch(what, deep);
  if (!here) {
    std::vector<std::string> all = kFetch;
    all.push_back("--tags");
    if (read_file(repository.git_dir + "/shallow"))
      all.push_back("--unshallow");
    all.insert(all.end(),
               {"--", git.remote, "+refs/heads/*:refs/remotes/origin/*"});
    repository.run(all);
    if (!have()) fail("repository does not contain commit " + commit.object);
  }
  repository.run({"update-ref", kept, commit.object});
}

std::string GitRepositories::fetch(const GitReference& git) {
  const Commit commit = resolve(git);
  std::string name = identity(git);
  if (git.keep_git_dir.value_or(false)) name += "\n" + git.remote;
  const std::string& root = environment_.store.root();
  const std::string held = "git/files/" + store::sha256(name).hex();
  const std::string place = root + "/" + held;
  environment_.store.hold(held);
  if (::utimensat(AT_FDCWD, place.c_str(), nullptr, 0) == 0) return place;
  if (errno != ENOENT) throw_system_error("set the time of", place);

  const TempDir workplace = environment_.store.temp_dir("git-");
  with_commit(git, commit, [&](const GitCommand& repository) {
    const std::string files =
        check_out({git, repository.git_dir, commit.ref, commit.object},
                  repository, workplace.path());
    make_dirs(root + "/git/files", 0700);
    environment_.store.sync();  // what is published must be whole
    if (::rename(files.c_str(), place.c_str()) == -1 && errno != EEXIST &&
        errno != ENOTEMPTY)
      throw_system_error("rename", place);
  });
  return place;
}

std::int64_t GitRepositories::commit_time(const GitReference& git) {
  const Commit commit = resolve(git);
  return with_commit(git, commit, [&](const GitCommand& repository) {
    const std::string text = repository.run(
        {"log", "-1", "--format=%ct", commit.object + "^{commit}"});
    return static_cast<std::int64_t>(std::stoll(text));
  });
}

}  // namespace cbuild::builder
