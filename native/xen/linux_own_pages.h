// Pages of ours that Xen knows by a grant reference, over /dev/xen/gntalloc (linux/include/uapi/xen/gntalloc.h).
// Private to xen/linux*.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "xen/device_fd.h"
#include "xen/hypervisor.h"

namespace xvif::xen {

/// Granted by this domain to itself: as an end of a grant copy such a page costs neither the kernel the pinning of a
/// virtual address nor, when the copies before used it too, Xen another look-up.
class OwnPages {
 public:
  /// nullptr where the device does not give so many.
  static std::unique_ptr<OwnPages> make(DeviceFd device, DomId self, std::size_t pages);
  ~OwnPages();
  OwnPages(const OwnPages&) = delete;
  OwnPages& operator=(const OwnPages&) = delete;

  /// Contiguous here, page by page for Xen.
  std::span<std::uint8_t> memory() const { return memory_; }
  GrantRef ref(std::size_t page) const { return refs_[page]; }
  DomId domid() const { return self_; }

 private:
  OwnPages(DeviceFd device, DomId self, std::vector<GrantRef> refs, std::span<std::uint8_t> memory)
      : device_(std::move(device)), self_(self), refs_(std::move(refs)), memory_(memory) {}

  const DeviceFd device_;  // the pages live as long as it is open, or mapped
  const DomId self_;
  const std::vector<GrantRef> refs_;
  const std::span<std::uint8_t> memory_;
};

}  // namespace xvif::xen
