// Granted pages over /dev/xen/gntdev (linux/include/uapi/xen/gntdev.h). Private to xen/linux*.cc.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "xen/device_fd.h"
#include "xen/hypervisor.h"
#include "xen/linux_own_pages.h"

namespace xvif::xen {

class LinuxGrants final : public GrantTable {
 public:
  /// `gntalloc` is an open /dev/xen/gntalloc, where there is one.
  explicit LinuxGrants(DeviceFd device, std::optional<DeviceFd> gntalloc = std::nullopt)
      : device_(std::move(device)), gntalloc_(std::move(gntalloc)) {}
  /// Closing the device unmaps what is still mapped.
  ~LinuxGrants() override = default;

  void* map(DomId domid, GrantRef ref) override { return map(domid, ref, true); }
  void* map_readonly(DomId domid, GrantRef ref) override { return map(domid, ref, false); }
  void unmap(void* page) override;
  void copy(std::span<CopySegment> segments) override;
  void set_own_domid(DomId self) override;

 private:
  void* map(DomId domid, GrantRef ref, bool writable);
  void copy_block(std::span<CopySegment> segments);

  const DeviceFd device_;
  std::optional<DeviceFd> gntalloc_;                 // until it is in own_
  std::unique_ptr<OwnPages> own_;                    // thread that copies; local ends of a call pass through them
  std::mutex mutex_;                                 // guards mapped_
  std::unordered_map<void*, std::uint64_t> mapped_;  // page to the device's index of it
};

}  // namespace xvif::xen
