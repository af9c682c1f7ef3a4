// A real Xen below Linux, in Dom0 or a driver domain: /dev/xen/gntdev, /dev/xen/evtchn, and /dev/xen/gntalloc where it
// is there.
//
// All devices are opened at once, one of each per thread, so that privileges can be dropped afterwards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "xen/device_fd.h"
#include "xen/hypervisor.h"

namespace xvif::xen {

class LinuxHypervisor final : public Hypervisor {
 public:
  /// Opens `tables` grant devices and `channels` event-channel devices. nullptr and a sentence in `error` when that is
  /// not possible.
  static std::unique_ptr<LinuxHypervisor> open(std::size_t tables, std::size_t channels, std::string& error);

  /// Hand out what open() opened; asked for more than that is a bug.
  std::unique_ptr<GrantTable> open_grants() override;
  std::unique_ptr<EventChannels> open_evtchns() override;

 private:
  LinuxHypervisor() = default;

  std::vector<DeviceFd> gntdev_, evtchn_;
  std::vector<DeviceFd> gntalloc_;  // fewer, or none, where there is no such device
};

}  // namespace xvif::xen
