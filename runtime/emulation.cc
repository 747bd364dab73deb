#include "runtime/emulation.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/dir.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

struct Machine {
  const char* architecture;
  const char* uname;  // what runs it natively
  unsigned number;    // e_machine, elf.h
  bool wide;          // ELFCLASS64
  bool big;           // ELFDATA2MSB
};

constexpr Machine kMachines[] = {
    {"amd64", "x86_64", 62, true, false},
    {"386", "x86_64 i686 i586", 3, false, false},
    {"arm64", "aarch64", 183, true, false},
    {"arm", "aarch64 armv7l armv6l", 40, false, false},
    {"riscv64", "riscv64", 243, true, false},
    {"ppc64le", "ppc64le", 21, true, false},
    {"s390x", "s390x", 22, true, true},
    {"mips64le", "mips64", 8, true, false},
    {"loong64", "loongarch64", 258, true, false},
};

using Header = std::array<unsigned char, 20>;

const Machine* machine_of(const std::string& architecture) {
  for (const Machine& machine : kMachines)
    if (architecture == machine.architecture) return &machine;
  return nullptr;
}

// The first bytes of an executable, as far as handlers look at them.
Header header_of(const Machine& machine) {
  Header header = {0x7f, 'E', 'L', 'F'};
  header[4] = machine.wide ? 2 : 1;
  header[5] = machine.big ? 2 : 1;
  header[6] = 1;
  const std::size_t low = machine.big ? 1 : 0;
  header[16 + low] = 2;  // ET_EXEC
  header[18 + low] = static_cast<unsigned char>(machine.number & 0xff);
  header[19 - low] = static_cast<unsigned char>(machine.number >> 8);
  return header;
}

// The rest of the line that starts with `key`.
std::string_view field(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(key)) return trim(line.substr(key.size()));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return {};
}

std::vector<unsigned char> bytes_of(std::string_view hex) {
  const auto digit = [](char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
  };
  std::vector<unsigned char> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(
        static_cast<unsigned char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return bytes;
}

// The handlers' directory. It need not be mounted for them to work, so it is
// mounted where nobody sees it; an empty Fd where that is not allowed either.
Fd handlers() {
  const Fd context(::fsopen("binfmt_misc", FSOPEN_CLOEXEC));
  if (context &&
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
    if (Fd mount{::fsmount(context.get(), FSMOUNT_CLOEXEC, 0)})
      return openat_path(mount.get(), ".", O_RDONLY | O_DIRECTORY);
  return Fd(
      ::open("/proc/sys/fs/binfmt_misc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

bool handles(std::string_view handler, const std::string& architecture) {
  const Machine* machine = machine_of(architecture);
  if (machine == nullptr || !handler.starts_with("enabled")) return false;
  if (field(handler, "offset ") != "0") return false;
  const std::vector<unsigned char> magic = bytes_of(field(handler, "magic "));
  const std::vector<unsigned char> mask = bytes_of(field(handler, "mask "));
  const Header header = header_of(*machine);
  if (magic.empty()) return false;
  for (std::size_t i = 0; i < std::min(magic.size(), header.size()); ++i) {
    const unsigned char bits = i < mask.size() ? mask[i] : 0xff;
    if ((header[i] & bits) != (magic[i] & bits)) return false;
  }
  // Shorter ones would take everything.
  return magic.size() >= header.size();
}

bool works_in_containers(std::string_view handler) {
  return field(handler, "flags:").find('F') != std::string_view::npos;
}

std::string missing_emulator(const std::string& architecture) {
  const Machine* machine = machine_of(architecture);
  utsname name;
  if (machine == nullptr || ::uname(&name) == -1) return "";
  const std::vector<std::string> native = split(machine->uname, ' ');
  if (std::find(native.begin(), native.end(), name.machine) != native.end())
    return "";
  std::string why = "no emulator for it is registered with binfmt_misc";
  if (const Fd dir = handlers())
    for (const std::string& entry : list_dir(dir.get())) {
      if (entry == "register" || entry == "status") continue;
      const std::string handler = read_file_at(dir.get(), entry).value_or("");
      if (!handles(handler, architecture)) continue;
      if (works_in_containers(handler)) return "";
      why = "the emulator registered as " + entry +
            " does not work in containers (no flag F)";
    }
  return "this machine is " + std::string(name.machine) + ", and " + why +
         ": install qemu-user-static, or leave RUN out of stages for " +
         architecture;
}

}  // namespace cbuild::runtime
