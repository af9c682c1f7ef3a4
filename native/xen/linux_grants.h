// Granted pages over /dev/xen/gntdev (linux/include/uapi/xen/gntdev.h). Private to xen/linux*.cc.
#pragma once

#include <mutex>
#include <unordered_map>

#include "xen/device_fd.h"
#include "xen/hypervisor.h"

namespace xvif::xen {

class LinuxGrants final : public GrantTable {
 public:
  explicit LinuxGrants(DeviceFd device) : device_(std::move(device)) {}
  /// Closing the device unmaps what is still mapped.
  ~LinuxGrants() override = default;

  void* map(DomId domid, GrantRef ref) override { return map(domid, ref, true); }
  void* map_readonly(DomId domid, GrantRef ref) override { return map(domid, ref, false); }
  void unmap(void* page) override;
  void copy(std::span<CopySegment> segments) override;

 private:
  void* map(DomId domid, GrantRef ref, bool writable);
  void copy_block(std::span<CopySegment> segments);

  const DeviceFd device_;
  std::mutex mutex_;                                 // guards mapped_
  std::unordered_map<void*, std::uint64_t> mapped_;  // page to the device's index of it
};

}  // namespace xvif::xen
