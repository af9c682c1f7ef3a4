// Event channels over /dev/xen/evtchn (linux/include/uapi/xen/evtchn.h). Private to xen/linux*.cc.
#pragma once

#include "xen/device_fd.h"
#include "xen/hypervisor.h"

namespace xvif::xen {

class LinuxEvtchns final : public EventChannels {
 public:
  explicit LinuxEvtchns(DeviceFd device) : device_(std::move(device)) {}

  int fd() const override { return device_.get(); }
  std::optional<EvtchnPort> bind_interdomain(DomId domid, EvtchnPort remote) override;
  void unbind(EvtchnPort port) override;
  void notify(EvtchnPort port) override;
  std::size_t take(std::span<EvtchnPort> ports, bool& overflow) override;
  void unmask(std::span<const EvtchnPort> ports) override;

 private:
  const DeviceFd device_;
};

}  // namespace xvif::xen
