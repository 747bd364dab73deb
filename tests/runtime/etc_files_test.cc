#include "runtime/etc_files.h"

#include <catch2/catch.hpp>

namespace cbuild::runtime {

TEST_CASE("/etc/hosts: loopback, then extra hosts", "[runtime]") {
  CHECK(hosts_file("box", {}) ==
        "127.0.0.1\tlocalhost box\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n");
  CHECK(hosts_file("box", {{"db", "1.2.3.4"}, {"six", "fd00::1"}}) ==
        "127.0.0.1\tlocalhost box\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "1.2.3.4\tdb\n"
        "fd00::1\tsix\n");
}

TEST_CASE("/etc/resolv.conf: what a container can reach", "[runtime]") {
  struct Case {
    const char* about;
    const char* host;
    const char* want;
  };
  const Case cases[] = {
      {"kept as it is",
       "# note\nsearch a b\nnameserver 10.0.0.1\noptions ndots:2\n",
       "# note\nsearch a b\nnameserver 10.0.0.1\noptions ndots:2\n"},
      {"loopback servers are dropped",
       "nameserver 127.0.0.53\nnameserver 10.0.0.1\nnameserver ::1\n",
       "nameserver 10.0.0.1\n"},
      {"any 127/8 is loopback", "nameserver 127.1.2.3\nnameserver 1.1.1.1\n",
       "nameserver 1.1.1.1\n"},
      {"public ones where none is left", "search x\nnameserver\t127.0.0.1",
       "search x\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
      {"no file", "", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
      {"a scope is no part of the address", "nameserver fe80::1%eth0\n",
       "nameserver fe80::1%eth0\n"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.about) { CHECK(container_resolv_conf(c.host) == c.want); }
  }
}

TEST_CASE("/etc/resolv.conf: who passes questions on stands for loopback",
          "[runtime]") {
  CHECK(container_resolv_conf("search x\nnameserver 127.0.0.1\n", "10.0.2.3") ==
        "search x\nnameserver 10.0.2.3\n");
  CHECK(container_resolv_conf("nameserver 10.0.0.1\n", "10.0.2.3") ==
        "nameserver 10.0.0.1\n");
  CHECK(container_resolv_conf("", "10.0.2.3") ==
        "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

TEST_CASE("/etc/resolv.conf: systemd-resolved is recognised", "[runtime]") {
  CHECK(only_systemd_resolved("options edns0\nnameserver 127.0.0.53\n"));
  CHECK_FALSE(
      only_systemd_resolved("nameserver 127.0.0.53\nnameserver 10.0.0.1\n"));
  CHECK_FALSE(only_systemd_resolved("nameserver 127.0.0.1\n"));
  CHECK_FALSE(only_systemd_resolved(""));
}

}  // namespace cbuild::runtime
