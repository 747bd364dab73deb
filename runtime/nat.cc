#include "runtime/nat.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/dir.h"
#include "base/error.h"
#include "base/text.h"

namespace cbuild::runtime {
namespace {

constexpr const char* kForwarding = "/proc/sys/net/ipv4/ip_forward";
constexpr std::int32_t kSourceNatPriority = 100;
constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_ACK;

std::uint16_t nft_type(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

nfgenmsg family(std::uint8_t name, std::uint16_t resource = 0) {
  return {name, NFNETLINK_V0, htons(resource)};
}

NetlinkMessage nft_message(int type, std::uint16_t flags) {
  return NetlinkMessage(nft_type(type), flags, family(NFPROTO_IPV4));
}

NetlinkMessage batch_message(std::uint16_t type) {
  return NetlinkMessage(type, 0, family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

NetlinkMessage new_chain(const std::string& table) {
  NetlinkMessage chain = nft_message(NFT_MSG_NEWCHAIN, kCreate);
  chain.add_string(NFTA_CHAIN_TABLE, table)
      .add_string(NFTA_CHAIN_NAME, "postrouting")
      .add_string(NFTA_CHAIN_TYPE, "nat")
      .open(NFTA_CHAIN_HOOK)
      .add(NFTA_HOOK_HOOKNUM, htonl(NF_INET_POST_ROUTING))
      .add(NFTA_HOOK_PRIORITY, htonl(kSourceNatPriority))
      .close();
  return chain;
}

void open_expression(NetlinkMessage& rule, const char* name) {
  rule.open(NFTA_LIST_ELEM).add_string(NFTA_EXPR_NAME, name);
  rule.open(NFTA_EXPR_DATA);
}

void close_expression(NetlinkMessage& rule) { rule.close().close(); }

// ip saddr <block> masquerade
NetlinkMessage new_rule(const std::string& table, const Subnet& block) {
  constexpr std::uint32_t source_address = 12;  // offset in the IPv4 header
  NetlinkMessage rule = nft_message(NFT_MSG_NEWRULE, kCreate | NLM_F_APPEND);
  rule.add_string(NFTA_RULE_TABLE, table)
      .add_string(NFTA_RULE_CHAIN, "postrouting")
      .open(NFTA_RULE_EXPRESSIONS);

  open_expression(rule, "payload");
  rule.add(NFTA_PAYLOAD_DREG, htonl(NFT_REG_1))
      .add(NFTA_PAYLOAD_BASE, htonl(NFT_PAYLOAD_NETWORK_HEADER))
      .add(NFTA_PAYLOAD_OFFSET, htonl(source_address))
      .add(NFTA_PAYLOAD_LEN, htonl(4));
  close_expression(rule);

  open_expression(rule, "bitwise");
  rule.add(NFTA_BITWISE_SREG, htonl(NFT_REG_1))
      .add(NFTA_BITWISE_DREG, htonl(NFT_REG_1))
      .add(NFTA_BITWISE_LEN, htonl(4))
      .open(NFTA_BITWISE_MASK)
      .add(NFTA_DATA_VALUE, htonl(block.mask()))
      .close()
      .open(NFTA_BITWISE_XOR)
      .add(NFTA_DATA_VALUE, std::uint32_t{0})
      .close();
  close_expression(rule);

  open_expression(rule, "cmp");
  rule.add(NFTA_CMP_SREG, htonl(NFT_REG_1))
      .add(NFTA_CMP_OP, htonl(NFT_CMP_EQ))
      .open(NFTA_CMP_DATA)
      .add(NFTA_DATA_VALUE, htonl(block.address))
      .close();
  close_expression(rule);

  open_expression(rule, "masq");
  close_expression(rule);
  rule.close();
  return rule;
}

// Throws SystemError where the kernel has no nf_tables, or no NAT for it.
std::unique_ptr<NetlinkSocket> masquerade(const Subnet& block,
                                          const std::string& table) {
  auto socket = std::make_unique<NetlinkSocket>(NETLINK_NETFILTER);
  NetlinkMessage new_table = nft_message(NFT_MSG_NEWTABLE, kCreate);
  new_table.add_string(NFTA_TABLE_NAME, table)
      .add(NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
  socket->request(
      {batch_message(NFNL_MSG_BATCH_BEGIN), new_table, new_chain(table),
       new_rule(table, block), batch_message(NFNL_MSG_BATCH_END)},
      "set up NAT");
  return socket;
}

// True where iptables (of either kind) drops what no rule lets be forwarded.
bool forwarding_is_refused() {
  NetlinkSocket socket(NETLINK_NETFILTER);
  try {
    NetlinkMessage query = nft_message(NFT_MSG_GETCHAIN, NLM_F_DUMP);
    for (const std::string& reply : socket.dump(query, "list chains")) {
      const std::string_view chain =
          std::string_view(reply).substr(NLMSG_ALIGN(sizeof(nfgenmsg)));
      const std::string_view hook = find_attribute(chain, NFTA_CHAIN_HOOK);
      const std::uint32_t forward = htonl(NF_INET_FORWARD), drop = NF_DROP;
      const std::string_view number = find_attribute(hook, NFTA_HOOK_HOOKNUM);
      if (number == std::string_view(reinterpret_cast<const char*>(&forward),
                                     sizeof forward) &&
          find_attribute(chain, NFTA_CHAIN_POLICY) ==
              std::string_view(reinterpret_cast<const char*>(&drop),
                               sizeof drop))
        return true;
    }
  } catch (const SystemError& e) {
    if (e.code() != EINVAL && e.code() != EOPNOTSUPP) throw;
  }
  // The older kind cannot be asked without loading it.
  const std::string tables =
      read_file("/proc/net/ip_tables_names").value_or("");
  return tables.find("filter") != std::string::npos;
}

// Runs iptables(8), silently; false where it fails or is not there.
bool iptables(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"iptables", "-w"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd)
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  const int rc =
      ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) return false;
  int status = 0;
  while (::waitpid(pid, &status, 0) == -1)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void turn_on_forwarding() {
  if (trim(read_file(kForwarding).value_or("")) == "1") return;
  const Fd file = open_path(kForwarding, O_WRONLY);
  write_all(file.get(), "1\n", kForwarding);
}

}  // namespace

void IptablesRules::add(Rule rule) {
  Rule command = rule;
  command[2] = "-I";
  if (!iptables(command))
    throw Error("iptables " + join(command, " ") + " failed");
  rules_.push_back(std::move(rule));
}

IptablesRules::~IptablesRules() {
  for (const Rule& rule : rules_) iptables(rule);
}

Nat::Nat(const Subnet& block, const std::string& interfaces) {
  turn_on_forwarding();
  try {
    owner_ = masquerade(block, "cbuild-" + interfaces);
  } catch (const SystemError&) {
    rules_.add({"-t", "nat", "-D", "POSTROUTING", "-s", block.text(), "-j",
                "MASQUERADE"});
  }
  if (!forwarding_is_refused()) return;
  for (const char* direction : {"-i", "-o"})
    rules_.add({"-t", "filter", "-D", "FORWARD", direction, interfaces + "+",
                "-j", "ACCEPT"});
}

}  // namespace cbuild::runtime
