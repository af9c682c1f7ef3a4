#include "xen/linux_own_pages.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "xen/linux_uapi.h"

namespace xvif::xen {

std::unique_ptr<OwnPages> OwnPages::make(DeviceFd device, DomId self, std::size_t pages) {
  // The request ends in as many references as there are pages; it has room for one.
  const std::size_t bytes = sizeof(ioctl_gntalloc_alloc_gref) + (pages - 1) * sizeof(std::uint32_t);
  std::vector<std::uint64_t> room((bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
  auto* const request = reinterpret_cast<ioctl_gntalloc_alloc_gref*>(room.data());
  request->domid = raw(self);
  request->flags = GNTALLOC_FLAG_WRITABLE;
  request->count = static_cast<std::uint32_t>(pages);
  if (::ioctl(device.get(), IOCTL_GNTALLOC_ALLOC_GREF, request) != 0) return nullptr;
  std::vector<GrantRef> refs(pages);
  for (std::size_t i = 0; i < pages; ++i) refs[i] = GrantRef{request->gref_ids[i]};
  const std::size_t length = pages * kPageBytes;
  void* const memory =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, device.get(), static_cast<off_t>(request->index));
  if (memory == MAP_FAILED) return nullptr;  // closing the device takes the pages back
  return std::unique_ptr<OwnPages>(
      new OwnPages(std::move(device), self, std::move(refs), {static_cast<std::uint8_t*>(memory), length}));
}

OwnPages::~OwnPages() { ::munmap(memory_.data(), memory_.size()); }

}  // namespace xvif::xen
