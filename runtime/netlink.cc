#include "runtime/netlink.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace cbuild::runtime {
namespace {

// Calls `each` with the header and payload of every message in a datagram.
template <typename Each>
void for_each_message(const std::string& datagram, Each&& each) {
  for (std::size_t at = 0; at + sizeof(nlmsghdr) <= datagram.size();) {
    nlmsghdr header;
    std::memcpy(&header, datagram.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header ||
        at + header.nlmsg_len > datagram.size())
      return;
    each(header,
         datagram.substr(at + sizeof header, header.nlmsg_len - sizeof header));
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
}

// The errno in an NLMSG_ERROR, 0 for an acknowledgement.
int error_code(const std::string& payload) {
  int code = 0;
  std::memcpy(&code, payload.data(), sizeof code);
  return -code;
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header = {};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&header, sizeof header);
}

void NetlinkMessage::append(const void* data, std::size_t size) {
  data_.append(static_cast<const char*>(data), size);
  data_.resize(NLMSG_ALIGN(data_.size()), '\0');
}

NetlinkMessage& NetlinkMessage::add_bytes(std::uint16_t attribute,
                                          std::string_view value) {
  nlattr header = {};
  header.nla_len = static_cast<std::uint16_t>(sizeof header + value.size());
  header.nla_type = attribute;
  append(&header, sizeof header);
  append(value.data(), value.size());
  return *this;
}

NetlinkMessage& NetlinkMessage::add_string(std::uint16_t attribute,
                                           const std::string& value) {
  return add_bytes(attribute, {value.c_str(), value.size() + 1});
}

NetlinkMessage& NetlinkMessage::open(std::uint16_t attribute) {
  open_.push_back(data_.size());
  nlattr header = {};
  header.nla_type = static_cast<std::uint16_t>(attribute | NLA_F_NESTED);
  append(&header, sizeof header);
  return *this;
}

NetlinkMessage& NetlinkMessage::close() {
  const std::size_t start = open_.back();
  open_.pop_back();
  const auto length = static_cast<std::uint16_t>(data_.size() - start);
  std::memcpy(data_.data() + start + offsetof(nlattr, nla_len), &length,
              sizeof length);
  return *this;
}

std::string NetlinkMessage::bytes(std::uint32_t sequence) const {
  std::string message = data_;
  nlmsghdr header;
  std::memcpy(&header, message.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(message.size());
  header.nlmsg_seq = sequence;
  std::memcpy(message.data(), &header, sizeof header);
  return message;
}

std::string_view find_attribute(std::string_view attributes,
                                std::uint16_t type) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > attributes.size())
      return {};
    if ((header.nla_type & NLA_TYPE_MASK) == type)
      return attributes.substr(sizeof header, header.nla_len - sizeof header);
    attributes.remove_prefix(
        std::min<std::size_t>(NLA_ALIGN(header.nla_len), attributes.size()));
  }
  return {};
}

NetlinkSocket::NetlinkSocket(int protocol)
    : socket_(check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol),
                    "socket", "netlink")) {}

std::string NetlinkSocket::receive(std::string_view doing) {
  std::string buffer(64 << 10, '\0');
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (n == -1 && errno == EINTR) continue;
    buffer.resize(static_cast<std::size_t>(check(n, "netlink", doing)));
    return buffer;
  }
}

void NetlinkSocket::request(const NetlinkMessage& message,
                            std::string_view doing) {
  request(std::vector<NetlinkMessage>{message}, doing);
}

void NetlinkSocket::request(const std::vector<NetlinkMessage>& messages,
                            std::string_view doing) {
  std::string datagram;
  const std::uint32_t first = sequence_ + 1;
  for (const NetlinkMessage& message : messages)
    datagram += message.bytes(++sequence_);
  check(::send(socket_.get(), datagram.data(), datagram.size(), 0), "netlink",
        doing);
  // Those without NLM_F_ACK are answered only when they fail; the last of the
  // others ends the wait.
  std::uint32_t last = first;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    nlmsghdr header;
    const std::string bytes = messages[i].bytes(0);
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_flags & NLM_F_ACK)
      last = first + static_cast<std::uint32_t>(i);
  }
  for (bool done = false; !done;) {
    for_each_message(receive(doing), [&](const nlmsghdr& header,
                                         const std::string& payload) {
      if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq < first) return;
      if (const int code = error_code(payload); code != 0)
        throw SystemError(code, "netlink", doing);
      done |= header.nlmsg_seq == last;
    });
  }
}

std::vector<std::string> NetlinkSocket::dump(const NetlinkMessage& message,
                                             std::string_view doing) {
  const std::string datagram = message.bytes(++sequence_);
  check(::send(socket_.get(), datagram.data(), datagram.size(), 0), "netlink",
        doing);
  std::vector<std::string> all;
  for (bool done = false; !done;) {
    for_each_message(receive(doing), [&](const nlmsghdr& header,
                                         const std::string& payload) {
      if (header.nlmsg_seq != sequence_) return;
      if (header.nlmsg_type == NLMSG_ERROR && error_code(payload) != 0)
        throw SystemError(error_code(payload), "netlink", doing);
      if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR)
        done = true;
      else
        all.push_back(payload);
    });
  }
  return all;
}

}  // namespace cbuild::runtime
