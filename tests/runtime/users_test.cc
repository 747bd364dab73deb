#include "runtime/users.h"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "base/dir.h"
#include "base/error.h"

namespace cbuild::runtime {
namespace {

class Root {
 public:
  Root() : dir_("/tmp", "cbuild-users-") {
    make_dirs(dir_.path() + "/etc");
    fd_ = open_path(dir_.path(), O_RDONLY | O_DIRECTORY);
  }
  void put(const std::string& path, const std::string& content) {
    replace_file_at(fd_.get(), path, content, false);
  }
  int fd() const { return fd_.get(); }
  std::string path() const { return dir_.path(); }

 private:
  TempDir dir_;
  Fd fd_;
};

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "app:x:1000:1001:app:/home/app:/bin/sh\n"
    "app:x:7:7:second of the name:/:/bin/sh\n"
    "555:x:77:78::/named-by-number:/bin/sh\n"
    "nohome:x:90:91\n";
constexpr const char* kGroup =
    "root:x:0:\n"
    "# comment:x:3:app\n"
    "staff:x:50:app,other\n"
    "  blanks:x:51:app\n"
    "app:x:1001:\n";

std::string show(const UserIds& ids) {
  std::string text = std::to_string(ids.uid) + ":" + std::to_string(ids.gid);
  for (const std::uint32_t group : ids.groups)
    text += " +" + std::to_string(group);
  return text + " " + ids.home;
}

}  // namespace

TEST_CASE("USER: who it is", "[runtime]") {
  Root root;
  root.put("etc/passwd", kPasswd);
  root.put("etc/group", kGroup);
  struct Case {
    const char* user;
    const char* want;
  };
  const Case cases[] = {
      {"", "0:0 /root"},
      {"root", "0:0 /root"},
      {"app", "1000:1001 +50 +51 /home/app"},
      {"1000", "1000:1001 +50 +51 /home/app"},
      // Two numbers are taken as they are.
      {"1000:1001", "1000:1001 /home/app"},
      {"root:root", "0:0 /root"},
      {"1000:root", "1000:0 /home/app"},
      {"4294967295:7", "4294967295:7 /"},
      {"app:staff", "1000:50 /home/app"},
      {"app:60", "1000:60 /home/app"},
      {":staff", "0:50 /root"},
      // A number is a uid even if somebody has that name.
      {"555", "555:0 /"},
      {"4242", "4242:0 /"},
      {"4242:staff", "4242:50 /"},
      // No home directory in passwd.
      {"nohome", "90:91 /"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION("'" << c.user << "'") {
      CHECK(show(resolve_user(root.fd(), c.user)) == c.want);
    }
  }
}

TEST_CASE("USER: nobody of that name", "[runtime]") {
  Root root;
  root.put("etc/passwd", kPasswd);
  root.put("etc/group", kGroup);
  struct Case {
    const char* user;
    const char* want;
  };
  const Case cases[] = {
      {"ghost",
       "unable to find user ghost: no matching entries in passwd file"},
      {"app:ghosts",
       "unable to find group ghosts: no matching entries in group file"},
      {"2147483648", "uids and gids must be in range 0-2147483647"},
      {"app:-1", "uids and gids must be in range 0-2147483647"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.user) {
      CHECK_THROWS_WITH(resolve_user(root.fd(), c.user), c.want);
    }
  }
}

TEST_CASE("USER: an image without passwd and group", "[runtime]") {
  Root root;
  CHECK(show(resolve_user(root.fd(), "")) == "0:0 /");
  CHECK(show(resolve_user(root.fd(), "12")) == "12:0 /");
  CHECK_THROWS_WITH(
      resolve_user(root.fd(), "root"),
      "unable to find user root: no matching entries in passwd file");
}

TEST_CASE("passwd: an absolute link is followed inside the image",
          "[runtime]") {
  Root root;
  make_dirs(root.path() + "/data");
  root.put("data/passwd", "inside:x:5:6::/in:/bin/sh\n");
  REQUIRE(::symlink("/data/passwd", (root.path() + "/etc/passwd").c_str()) ==
          0);
  CHECK(show(resolve_user(root.fd(), "inside")) == "5:6 /in");
}

TEST_CASE("passwd: what is no regular file counts as absent", "[runtime]") {
  Root root;
  make_dirs(root.path() + "/etc/passwd");
  REQUIRE(::mkfifo((root.path() + "/etc/group").c_str(), 0600) == 0);
  CHECK(read_passwd(root.fd()).empty());
  CHECK(read_group(root.fd()).empty());
}

TEST_CASE("passwd: broken lines are read as far as they go", "[runtime]") {
  Root root;
  root.put("etc/passwd", "\n   \nname\nx:y:not-a-number:8\n");
  const std::vector<PasswdEntry> users = read_passwd(root.fd());
  REQUIRE(users.size() == 2);
  CHECK(users[0].name == "name");
  CHECK(users[0].uid == 0);
  CHECK(users[1].uid == 0);
  CHECK(users[1].gid == 8);
}

TEST_CASE("passwd: more than 10 MiB is an error", "[runtime]") {
  Root root;
  root.put("etc/passwd", std::string((10 << 20) + 1, '\n'));
  CHECK_THROWS_WITH(read_passwd(root.fd()),
                    "\"/etc/passwd\" exceeds 10485760 bytes");
}

}  // namespace cbuild::runtime
