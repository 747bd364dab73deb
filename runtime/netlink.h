// Netlink by hand: building messages, sending them, reading the answers.
//
// Just enough of rtnetlink(7) and nfnetlink for net.cc and nat.cc. Numbers are
// in host byte order; what nf_tables wants in network order is passed so.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/fd.h"

namespace cbuild::runtime {

class NetlinkMessage {
 public:
  // `body` is the family's fixed header (ifinfomsg, rtmsg, nfgenmsg ...).
  template <typename Body>
  NetlinkMessage(std::uint16_t type, std::uint16_t flags, const Body& body)
      : NetlinkMessage(type, flags) {
    append(&body, sizeof body);
  }

  NetlinkMessage& add_bytes(std::uint16_t attribute, std::string_view value);
  NetlinkMessage& add_string(std::uint16_t attribute, const std::string& value);
  template <typename Number>
  NetlinkMessage& add(std::uint16_t attribute, Number value) {
    static_assert(std::is_trivially_copyable_v<Number>);
    return add_bytes(attribute,
                     {reinterpret_cast<const char*>(&value), sizeof value});
  }

  // Attributes up to the matching close() are inside this one. With `body`
  // (veth's peer has one) between its header and them.
  NetlinkMessage& open(std::uint16_t attribute);
  template <typename Body>
  NetlinkMessage& open(std::uint16_t attribute, const Body& body) {
    open(attribute);
    append(&body, sizeof body);
    return *this;
  }
  NetlinkMessage& close();

  // The message with its length and `sequence` filled in.
  std::string bytes(std::uint32_t sequence) const;

 private:
  NetlinkMessage(std::uint16_t type, std::uint16_t flags);
  void append(const void* data, std::size_t size);  // padded to four bytes

  std::string data_;
  std::vector<std::size_t> open_;  // offsets of the attributes not closed yet
};

// Attributes of a reply, by type; a type that is repeated or nested is not our
// concern. Views into the reply.
std::string_view find_attribute(std::string_view attributes,
                                std::uint16_t type);

// A socket in the network namespace of the thread that makes it. One thread.
class NetlinkSocket {
 public:
  explicit NetlinkSocket(int protocol);

  // Sends and waits for the kernel's yes. Throws SystemError naming `doing`.
  void request(const NetlinkMessage& message, std::string_view doing);
  // All of them in one datagram; the first refusal is thrown.
  void request(const std::vector<NetlinkMessage>& messages,
               std::string_view doing);

  // The payloads (after nlmsghdr) of every message of a dump.
  std::vector<std::string> dump(const NetlinkMessage& message,
                                std::string_view doing);

 private:
  std::string receive(std::string_view doing);

  Fd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace cbuild::runtime
