#include "host/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <thread>

namespace xvif::host {
namespace {

TEST(Users, AreFoundByNameAndByNumber) {
  std::string error;
  const auto root = find_user("root", "", error);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(root->gid, 0u);
  EXPECT_EQ(find_user("0", "", error)->gid, 0u);
  EXPECT_EQ(find_user("root", "12345", error)->gid, 12345u);
  EXPECT_EQ(find_user("54321", "root", error)->uid, 54321u);
}

TEST(Users, ThatAreNotThereAreNamed) {
  std::string error;
  EXPECT_FALSE(find_user("no-such-user", "", error));
  EXPECT_EQ(error, "there is no user no-such-user");
  EXPECT_FALSE(find_user("root", "no-such-group", error));
  EXPECT_EQ(error, "there is no group no-such-group");
  EXPECT_FALSE(find_user("54321", "", error));
  EXPECT_EQ(error, "user 54321 has no group: name one");
  EXPECT_FALSE(find_user("4294967295", "root", error));  // (uid_t)-1 means "unchanged" to setresuid
  EXPECT_FALSE(find_user("", "", error));
}

/// Runs `body` in a child process; its result is the exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

DropOptions nobody(std::vector<int> keep = {}) { return {"65534", {65534, 65534}, std::move(keep)}; }

std::uint32_t effective_capabilities() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  syscall(SYS_capget, &header, data.data());
  return data[0].effective | data[1].effective;
}

/// Which expectation failed, 0 for none.
int expect_dropped(std::uint32_t capabilities) {
  if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65534 || getgroups(0, nullptr) != 1) return 2;
  if (setuid(0) == 0 || setgid(0) == 0) return 3;
  if (effective_capabilities() != capabilities) return 4;
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 5;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 6;
  std::string program = "/bin/true";
  char* argv[] = {program.data(), nullptr};
  if (execve("/bin/true", argv, nullptr) == 0 || errno != EPERM) return 7;
  if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM) return 8;
  if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) >= 0 || errno != EPERM) return 9;
  if (open("/etc/shadow", O_RDONLY) >= 0) return 10;
  return 0;
}

TEST(Privileges, AreDroppedForGood) {
  if (geteuid() != 0) {
    EXPECT_EQ(drop_privileges(nobody()), "only root can become another user");
    return;
  }
  EXPECT_EQ(in_child([] { return drop_privileges(nobody()).empty() ? expect_dropped(0) : 1; }), 0);
}

TEST(Privileges, ButForTheCapabilitiesKept) {
  if (geteuid() != 0) {
    EXPECT_NE(drop_privileges(nobody({CAP_NET_ADMIN})), "");
    return;
  }
  EXPECT_EQ(in_child([] {
              const bool dropped = drop_privileges(nobody({CAP_NET_ADMIN, CAP_NET_RAW})).empty();
              return dropped ? expect_dropped(1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW) : 1;
            }),
            0);
}

TEST(Privileges, OfRootAreNoneToDropTo) {
  EXPECT_EQ(drop_privileges({"root", {0, 0}, {}}), "root is not a user to drop privileges to");
}

}  // namespace
}  // namespace xvif::host
