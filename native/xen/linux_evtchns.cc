#include "xen/linux_evtchns.h"

#include <sys/ioctl.h>

#include <cerrno>

#include "xen/linux_uapi.h"

namespace xvif::xen {

// Ports cross the device as u32.
static_assert(sizeof(EvtchnPort) == sizeof(std::uint32_t));

std::optional<EvtchnPort> LinuxEvtchns::bind_interdomain(DomId domid, EvtchnPort remote) {
  ioctl_evtchn_bind_interdomain bind{.remote_domain = raw(domid), .remote_port = raw(remote)};
  const int port = ::ioctl(device_.get(), IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
  if (port < 0) return std::nullopt;
  return EvtchnPort{static_cast<std::uint32_t>(port)};
}

void LinuxEvtchns::unbind(EvtchnPort port) {
  ioctl_evtchn_unbind unbind{.port = raw(port)};
  ::ioctl(device_.get(), IOCTL_EVTCHN_UNBIND, &unbind);  // fails only for a port that is not bound
}

void LinuxEvtchns::notify(EvtchnPort port) {
  ioctl_evtchn_notify notify{.port = raw(port)};
  ::ioctl(device_.get(), IOCTL_EVTCHN_NOTIFY, &notify);  // fails only when the other end is gone
}

std::size_t LinuxEvtchns::take(std::span<EvtchnPort> ports, bool& overflow) {
  ssize_t got;
  do {
    got = ::read(device_.get(), ports.data(), ports.size_bytes());
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return static_cast<std::size_t>(got) / sizeof(EvtchnPort);
  if (errno == EFBIG) {
    // The device lost ports, which stay masked until somebody writes them back: the caller does so for all.
    ::ioctl(device_.get(), IOCTL_EVTCHN_RESET, 0);
    overflow = true;
  }
  return 0;
}

/// The kernel takes this as the late end of the interrupt: it punishes channels that fire and do no work (XSA-332).
void LinuxEvtchns::unmask(std::span<const EvtchnPort> ports) {
  while (!ports.empty()) {
    const ssize_t put = ::write(device_.get(), ports.data(), ports.size_bytes());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    ports = ports.subspan(static_cast<std::size_t>(put) / sizeof(EvtchnPort));
  }
}

}  // namespace xvif::xen
