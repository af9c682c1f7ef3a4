#include "host/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace xvif::host {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
/// Numbers of the x32 ABI start here; they would go round the list.
constexpr std::uint32_t kNumberMax = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kNumberMax = 0xffffffff;
#else
#error "add the architecture's AUDIT_ARCH_ constant"
#endif

constexpr std::array kForbidden = {
    SYS_execve,          SYS_execveat,          SYS_ptrace,        SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_init_module,     SYS_finit_module,      SYS_delete_module, SYS_kexec_load,       SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd,       SYS_keyctl,        SYS_add_key,          SYS_request_key,
    SYS_mount,           SYS_umount2,           SYS_pivot_root,    SYS_chroot,           SYS_unshare,
    SYS_setns,           SYS_open_by_handle_at, SYS_pidfd_getfd,   SYS_kexec_file_load,  SYS_io_uring_setup,
    SYS_fsopen,          SYS_fsmount,           SYS_open_tree,     SYS_move_mount,       SYS_mount_setattr,
};

constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

constexpr std::uint32_t fail_with(int error) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error); }

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
sock_filter answer(std::uint32_t verdict) { return BPF_STMT(BPF_RET | BPF_K, verdict); }
sock_filter skip_unless_equal(std::uint32_t value) { return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1); }

std::vector<sock_filter> program() {
  std::vector<sock_filter> code = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kNumberMax, 0, 1),
      answer(SECCOMP_RET_KILL_PROCESS),
  };
  for (const long number : kForbidden) {
    code.push_back(skip_unless_equal(static_cast<std::uint32_t>(number)));
    code.push_back(answer(fail_with(EPERM)));
  }
  // Its flags lie in memory, where a filter cannot look; the C library then takes clone, whose flags are checked.
  code.push_back(skip_unless_equal(SYS_clone3));
  code.push_back(answer(fail_with(ENOSYS)));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
  code.push_back(load(offsetof(seccomp_data, args)));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNewNamespaces, 0, 1));
  code.push_back(answer(fail_with(EPERM)));
  code.push_back(answer(SECCOMP_RET_ALLOW));
  return code;
}

}  // namespace

std::string install_syscall_filter() {
  std::vector<sock_filter> code = program();
  const sock_fprog fprog{static_cast<unsigned short>(code.size()), code.data()};
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &fprog);
  if (result < 0) return std::string("system call filter: ") + std::strerror(errno);
  if (result > 0) return "system call filter: thread " + std::to_string(result) + " has one of its own";
  return {};
}

}  // namespace xvif::host
