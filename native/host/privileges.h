// Gives up what a started daemon does not need: the user root, capabilities, new programs.
//
// Credentials belong to threads in Linux. glibc changes user and groups of every thread of the process at once;
// no_new_privs and the system call filter reach every thread by seccomp's TSYNC; capabilities of threads other than the
// caller's go away with the user. For the main thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace xvif::host {

struct UserIds {
  uid_t uid;
  gid_t gid;
};

/// By name or number, from the system's user database. `group` empty: the user's own. Empty with a sentence in `error`
/// when there is none, or when a number that no user has comes without a group.
std::optional<UserIds> find_user(const std::string& user, const std::string& group, std::string& error);

struct DropOptions {
  /// Name for the supplementary groups; a number has none.
  std::string user;
  UserIds ids;
  /// Of the calling thread, and so of threads it starts: CAP_* numbers. Every other thread keeps none.
  std::vector<int> keep;
};

/// After this no thread is root, can become root, can start a program, can be traced, or dumps memory. Empty, or what
/// went wrong; the process is then half way and must end.
std::string drop_privileges(const DropOptions& options);

}  // namespace xvif::host
