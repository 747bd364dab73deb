// How the filter is made, and why not by libseccomp.
//
// libseccomp knows the numbers of system calls, and that is what it is used
// for. Its filters for this profile and three architectures have 940 to 1170
// instructions, take 11 to 13 ms to make and 0.5 to 1.2 ms for the kernel to
// load, which every RUN pays again. But allowed numbers mostly stand next to
// each other. So a filter here is, per architecture, a binary search over the
// ends of these ranges: six comparisons deep, 610 instructions altogether, made
// in 0.5 ms and loaded in 0.26.
//
//   load arch; if x86_64: load nr; nr < 0x40000000 ? tree : tree of x32
//              if i386:   load nr; tree of i386
//              else kill
//
// A BPF jump reaches 255 instructions forward. Trees are emitted right subtree
// last, and the few long jumps are unconditional ones, which reach anywhere.
#include "runtime/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "base/error.h"
#include "runtime/seccomp_profile.h"

namespace cbuild::runtime {
namespace {

using Code = std::vector<sock_filter>;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kX32Bit = 0x40000000;
constexpr std::uint32_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
    CLONE_NEWNET | CLONE_NEWCGROUP;

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter give(std::uint32_t result) {
  return BPF_STMT(BPF_RET | BPF_K, result);
}
// Jumps over `yes` or `no` instructions by comparing with the accumulator.
sock_filter jump_if(int comparison, std::uint32_t value, std::size_t yes,
                    std::size_t no) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K),
                  value, static_cast<std::uint8_t>(yes),
                  static_cast<std::uint8_t>(no));
}

sock_filter load_argument(unsigned index) {  // its low half
  constexpr std::size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
  return load(offsetof(seccomp_data, args) + 8 * index + low);
}

sock_filter load_high_half(unsigned index) {
  constexpr std::size_t high = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0 : 4;
  return load(offsetof(seccomp_data, args) + 8 * index + high);
}

Code socket_code() {  // every family but AF_ALG and AF_VSOCK
  return {load_argument(0), jump_if(BPF_JEQ, AF_ALG, 1, 0),
          jump_if(BPF_JEQ, AF_VSOCK, 0, 1), give(kRefuse), give(kAllow)};
}

Code clone_code() {  // no new namespace
  return {load_argument(0), jump_if(BPF_JSET, kNamespaceFlags, 0, 1),
          give(kRefuse), give(kAllow)};
}

Code prlimit_code() {  // another process's limits are read, not set
  return {load_argument(0),  jump_if(BPF_JEQ, 0, 4, 0),
          load_argument(2),  jump_if(BPF_JEQ, 0, 0, 3),
          load_high_half(2), jump_if(BPF_JEQ, 0, 0, 1),
          give(kAllow),      give(kRefuse)};
}

Code personality_code() {
  constexpr std::array<std::uint32_t, 5> allowed = {0, 0x0008, 0x20000, 0x20008,
                                                    0xffffffff};
  Code code = {load_argument(0)};
  for (std::size_t i = 0; i < allowed.size(); ++i)
    code.push_back(jump_if(BPF_JEQ, allowed[i], allowed.size() - i, 0));
  code.push_back(give(kRefuse));
  code.push_back(give(kAllow));
  return code;
}

struct Conditional {
  const char* name;
  Code code;
};

// What happens from number `first` up to the next entry's.
struct Range {
  std::uint32_t first;
  Code code;
};

bool same_code(const Code& a, const Code& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const sock_filter& x, const sock_filter& y) {
                      return x.code == y.code && x.jt == y.jt && x.jf == y.jf &&
                             x.k == y.k;
                    });
}

std::optional<std::uint32_t> number_of(std::uint32_t arch, const char* name) {
  const int number = seccomp_syscall_resolve_name_arch(arch, name);
  if (number < 0) return std::nullopt;  // none here, or unknown
  return static_cast<std::uint32_t>(number);
}

enum class Processes { own, shared };  // whether there is a pid namespace

// All numbers of one architecture, from `base` (the x32 bit, or 0).
std::map<std::uint32_t, Code> decisions(std::uint32_t arch, std::uint32_t base,
                                        Processes processes) {
  std::map<std::uint32_t, Code> table;
  const auto allow_names = [&](std::span<const char* const> names) {
    for (const char* name : names)
      if (const auto number = number_of(arch, name))
        table[*number] = {give(kAllow)};
  };
  allow_names(allowed_syscalls());
  allow_names(allowed_native_syscalls());
  for (const int number : allowed_syscall_numbers())
    table[base + static_cast<std::uint32_t>(number)] = {give(kAllow)};
  std::vector<Conditional> conditional = {{"socket", socket_code()},
                                          {"clone", clone_code()},
                                          {"personality", personality_code()},
                                          {"clone3", {give(kUnknown)}}};
  if (processes == Processes::shared)
    conditional.push_back({"prlimit64", prlimit_code()});
  for (const Conditional& call : conditional)
    if (const auto number = number_of(arch, call.name))
      table[*number] = call.code;
  return table;
}

std::vector<Range> ranges(std::uint32_t arch, std::uint32_t base,
                          Processes processes) {
  std::vector<Range> all;
  const auto append = [&](std::uint32_t first, const Code& code) {
    if (all.empty() || !same_code(all.back().code, code))
      all.push_back({first, code});
  };
  std::uint32_t next = base;
  append(next, {give(kRefuse)});
  for (const auto& [number, code] : decisions(arch, base, processes)) {
    if (number > next) append(next, {give(kRefuse)});
    append(number, code);
    next = number + 1;
  }
  const std::uint32_t unknown = base + kNewestKnownSyscall + 1;
  if (next < unknown) append(next, {give(kRefuse)});
  append(std::max(next, unknown), {give(kUnknown)});  // x32 has some beyond
  return all;
}

// A search tree whose leaves share their results: the kernel compiles a filter
// each time that one is loaded, so for every RUN.
class Tree {
 public:
  Code of(std::span<const Range> all) {
    node(all);
    end();
    return std::move(code_);
  }

 private:
  struct Jump {
    std::size_t at;
    std::uint8_t sock_filter::*side;
    std::uint32_t result;
  };

  static std::optional<std::uint32_t> result_of(std::span<const Range> all) {
    if (all.size() > 1 || all.front().code.size() > 1) return std::nullopt;
    return all.front().code.front().k;
  }

  // if (nr >= first of the right half) goto right; left...; right...
  void node(std::span<const Range> all) {
    if (all.size() == 1) {
      const Code& code = all.front().code;
      code_.insert(code_.end(), code.begin(), code.end());
      return;
    }
    const std::size_t middle = all.size() / 2;
    const std::size_t at = code_.size();
    code_.push_back(jump_if(BPF_JGE, all[middle].first, 0, 0));
    half(at, &sock_filter::jf, all.subspan(0, middle));
    half(at, &sock_filter::jt, all.subspan(middle));
  }

  void half(std::size_t at, std::uint8_t sock_filter::*side,
            std::span<const Range> all) {
    if (const auto result = result_of(all)) {
      jumps_.push_back({at, side, *result});
      return;
    }
    set(at, side, code_.size());
    node(all);
  }

  void end() {
    std::map<std::uint32_t, std::size_t> results;
    for (const Jump& jump : jumps_) {
      const auto [found, first] = results.emplace(jump.result, code_.size());
      if (first) code_.push_back(give(jump.result));
      set(jump.at, jump.side, found->second);
    }
  }

  void set(std::size_t at, std::uint8_t sock_filter::*side, std::size_t to) {
    if (to - at - 1 > 255) throw Error("a seccomp filter has too long a jump");
    code_[at].*side = static_cast<std::uint8_t>(to - at - 1);
  }

  Code code_;
  std::vector<Jump> jumps_;  // to results, which come at the end
};

// A jump by comparison reaches 255 instructions.
constexpr std::size_t kTreeRanges = 128;

Code search_tree(std::span<const Range> all) {
  if (all.size() <= kTreeRanges) return Tree().of(all);
  const std::size_t middle = all.size() / 2;
  const Code left = search_tree(all.subspan(0, middle));
  const Code right = search_tree(all.subspan(middle));
  Code code = {
      jump_if(BPF_JGE, all[middle].first, 0, 1),
      BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(left.size()))};
  code.insert(code.end(), left.begin(), left.end());
  code.insert(code.end(), right.begin(), right.end());
  return code;
}

// Runs `body` for one value of seccomp_data::arch; else goes on after it.
void add_architecture(Code& filter, std::uint32_t audit_arch, Code body) {
  filter.push_back(jump_if(BPF_JEQ, audit_arch, 1, 0));
  filter.push_back(
      BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(body.size() + 1)));
  filter.push_back(load(offsetof(seccomp_data, nr)));
  filter.insert(filter.end(), body.begin(), body.end());
}

Code make_filter(Processes processes) {
  Code filter = {load(offsetof(seccomp_data, arch))};
#if defined(__x86_64__)
  std::vector<Range> both = ranges(SCMP_ARCH_X86_64, 0, processes);
  const std::vector<Range> x32 = ranges(SCMP_ARCH_X32, kX32Bit, processes);
  both.insert(both.end(), x32.begin(), x32.end());
  add_architecture(filter, AUDIT_ARCH_X86_64, search_tree(both));
  add_architecture(filter, AUDIT_ARCH_I386,
                   search_tree(ranges(SCMP_ARCH_X86, 0, processes)));
#elif defined(__aarch64__)
  add_architecture(filter, AUDIT_ARCH_AARCH64,
                   search_tree(ranges(SCMP_ARCH_AARCH64, 0, processes)));
  add_architecture(filter, AUDIT_ARCH_ARM,
                   search_tree(ranges(SCMP_ARCH_ARM, 0, processes)));
#elif defined(__riscv) && __riscv_xlen == 64
  add_architecture(filter, AUDIT_ARCH_RISCV64,
                   search_tree(ranges(SCMP_ARCH_RISCV64, 0, processes)));
#else
  return {};
#endif
  filter.push_back(give(SECCOMP_RET_KILL_PROCESS));
  return filter;
}

}  // namespace

const std::vector<sock_filter>& default_seccomp_filter() {
  static const std::vector<sock_filter> filter = make_filter(Processes::own);
  return filter;
}

const std::vector<sock_filter>& chroot_seccomp_filter() {
  static const std::vector<sock_filter> filter = make_filter(Processes::shared);
  return filter;
}

}  // namespace cbuild::runtime
