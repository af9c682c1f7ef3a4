// System calls that a packet switch at work never makes, and an intruder would: start programs, look into processes,
// load code into the kernel, make namespaces. A list of what is forbidden, for what Node.js needs is not ours to know;
// the service's unit has a list of what is allowed on top.
#pragma once

#include <string>

namespace xvif::host {

/// For every thread, now and later; they fail with EPERM. Sets no_new_privs on every thread too. The caller has set
/// its own. Empty, or what went wrong.
std::string install_syscall_filter();

}  // namespace xvif::host
