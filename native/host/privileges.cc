#include "host/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "host/syscall_filter.h"

namespace xvif::host {

namespace {

/// Room for the strings of one entry of the user or group database; a group of some hundred members fits.
constexpr std::size_t kEntryBytes = 64 * 1024;

std::string failed(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

std::optional<unsigned> number(const std::string& text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [at, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc{} || at != end || value == ~0u) return std::nullopt;
  return value;
}

std::optional<gid_t> find_group(const std::string& group) {
  if (const auto gid = number(group)) return *gid;
  std::vector<char> room(kEntryBytes);
  struct group entry;
  struct group* found = nullptr;
  getgrnam_r(group.c_str(), &entry, room.data(), room.size(), &found);
  return found ? std::optional(found->gr_gid) : std::nullopt;
}

std::string become(const DropOptions& options) {
  const auto& [uid, gid] = options.ids;
  const bool named = !number(options.user);
  if ((named ? initgroups(options.user.c_str(), gid) : setgroups(1, &gid)) != 0) return failed("groups");
  if (setresgid(gid, gid, gid) != 0) return failed("setresgid");
  if (setresuid(uid, uid, uid) != 0) return failed("setresuid");
  return {};
}

/// Exactly `keep`, of the calling thread.
std::string keep_capabilities(const std::vector<int>& keep) {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  for (const int capability : keep) {
    auto& word = data[CAP_TO_INDEX(static_cast<unsigned>(capability))];
    word.permitted |= CAP_TO_MASK(static_cast<unsigned>(capability));
    word.effective = word.permitted;
  }
  return syscall(SYS_capset, &header, data.data()) == 0 ? std::string() : failed("capset");
}

}  // namespace

std::optional<UserIds> find_user(const std::string& user, const std::string& group, std::string& error) {
  std::vector<char> room(kEntryBytes);
  passwd entry{};
  passwd* found = nullptr;
  const auto uid = number(user);
  if (uid) {
    getpwuid_r(*uid, &entry, room.data(), room.size(), &found);
  } else {
    getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
  }
  if (!found && !uid) {
    error = "there is no user " + user;
    return std::nullopt;
  }
  if (group.empty() && !found) {
    error = "user " + user + " has no group: name one";
    return std::nullopt;
  }
  const auto gid = group.empty() ? std::optional(found->pw_gid) : find_group(group);
  if (!gid) {
    error = "there is no group " + group;
    return std::nullopt;
  }
  return UserIds{found ? found->pw_uid : *uid, *gid};
}

std::string drop_privileges(const DropOptions& options) {
  if (options.ids.uid == 0) return "root is not a user to drop privileges to";
  if (geteuid() != 0) return "only root can become another user";
  if (prctl(PR_SET_KEEPCAPS, options.keep.empty() ? 0 : 1, 0, 0, 0) != 0) return failed("PR_SET_KEEPCAPS");
  if (auto error = become(options); !error.empty()) return error;
  if (auto error = keep_capabilities(options.keep); !error.empty()) return error;
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return failed("PR_SET_KEEPCAPS");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("PR_SET_DUMPABLE");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS");
  if (auto error = install_syscall_filter(); !error.empty()) return error;
  if (setuid(0) == 0 || setgid(0) == 0) return "root could be had back";
  return {};
}

}  // namespace xvif::host
