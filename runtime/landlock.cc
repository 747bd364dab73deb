#include "runtime/landlock.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

// linux/landlock.h as of Linux 6.12. The kernel takes a longer attribute than
// it knows where the rest is 0.
struct RulesetAttribute {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed = 0;
  std::int32_t directory = -1;
};
constexpr int kRulePathBeneath = 1;
constexpr unsigned kAskVersion = 1;
constexpr std::uint64_t kScopeAbstractSockets = 1, kScopeSignals = 2;
constexpr unsigned long kMqueueMagic = 0x19800202;

// All rights over files that the version knows. What is not handled is allowed
// everywhere, so none may be left out.
constexpr std::uint64_t all_rights(int version) {
  const int count = version >= 5 ? 16 : version >= 3 ? 15 : 14;
  return (std::uint64_t{1} << count) - 1;
}

void allow(int rules, int directory, std::uint64_t rights) {
  const PathBeneath rule = {rights, directory};
  check(::syscall(SYS_landlock_add_rule, rules, kRulePathBeneath, &rule, 0),
        "landlock_add_rule", "");
}

// mq_open(3) opens files of a file system that lies below no root.
void allow_message_queues(int rules, std::uint64_t rights) {
  const auto queues = try_openat(AT_FDCWD, "/dev/mqueue", O_PATH | O_DIRECTORY);
  struct statfs fs;
  if (queues && ::fstatfs(queues->get(), &fs) == 0 &&
      static_cast<unsigned long>(fs.f_type) == kMqueueMagic)
    allow(rules, queues->get(), rights);
}

}  // namespace

int landlock_version() noexcept {
  return static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion));
}

Fd make_landlock_rules(int root, int version) {
  RulesetAttribute attribute;
  attribute.files = all_rights(version);
  if (version >= kLandlockScopes)
    attribute.scoped = kScopeAbstractSockets | kScopeSignals;
  Fd rules(check(static_cast<int>(::syscall(SYS_landlock_create_ruleset,
                                            &attribute, sizeof attribute, 0)),
                 "landlock_create_ruleset", ""));
  allow(rules.get(), root, attribute.files);
  allow_message_queues(rules.get(), attribute.files);
  return rules;
}

int restrict_by_landlock(int rules) noexcept {
  return static_cast<int>(::syscall(SYS_landlock_restrict_self, rules, 0));
}

}  // namespace cbuild::runtime
