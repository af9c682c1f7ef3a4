#include "xen/linux_grants.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"
#include "xen/linux_uapi.h"

namespace xvif::xen {
namespace {

/// GNTCOPY_* of xen/public/grant_table.h.
constexpr std::uint16_t kSourceGref = 1;
constexpr std::uint16_t kDestGref = 2;
/// Segments per call; the kernel makes hypercalls of 16 of them.
constexpr std::size_t kBlock = 128;

/// Pages of ours that a call's local ends pass through: room for 128 heads of frames, or 32 whole ones.
constexpr std::size_t kOwnPages = 16;
/// Longer ends cost more by passing through than they save.
constexpr std::size_t kOwnLengthMax = 2048;

template <typename End>
void put_end(const CopyEnd& from, End& to) {
  if (from.local != nullptr) {
    to.virt = from.local;
  } else {
    to.foreign = {.ref = raw(from.ref), .offset = from.offset, .domid = raw(from.domid)};
  }
}

/// Hands out room in pages of ours, none of it across the end of a page.
class OwnRoom {
 public:
  explicit OwnRoom(const OwnPages* pages) : pages_(pages) {}
  /// nullptr: none left. Else `end` is the room as Xen knows it.
  std::uint8_t* take(std::size_t length, CopyEnd& end) {
    if (pages_ == nullptr || length > kOwnLengthMax) return nullptr;
    if (used_ % kPageBytes + length > kPageBytes) used_ = (used_ / kPageBytes + 1) * kPageBytes;
    if (used_ + length > pages_->memory().size()) return nullptr;
    end = {nullptr, pages_->ref(used_ / kPageBytes), pages_->domid(), static_cast<std::uint16_t>(used_ % kPageBytes)};
    std::uint8_t* const room = pages_->memory().data() + used_;
    used_ += (length + kAlign - 1) / kAlign * kAlign;
    return room;
  }

 private:
  static constexpr std::size_t kAlign = 16;

  const OwnPages* const pages_;
  std::size_t used_ = 0;
};

}  // namespace

/// One call per page: a reference that cannot be mapped must not spoil another.
void* LinuxGrants::map(DomId domid, GrantRef ref, bool writable) {
  ioctl_gntdev_map_grant_ref request{};
  request.count = 1;
  request.refs[0] = {.domid = raw(domid), .ref = raw(ref)};
  if (::ioctl(device_.get(), IOCTL_GNTDEV_MAP_GRANT_REF, &request) != 0) return nullptr;
  // A page that Xen has paged out the kernel itself waits for.
  void* const page = ::mmap(nullptr, kPageBytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                            device_.get(), static_cast<off_t>(request.index));
  if (page == MAP_FAILED) {
    ioctl_gntdev_unmap_grant_ref undo{.index = request.index, .count = 1, .pad = 0};
    ::ioctl(device_.get(), IOCTL_GNTDEV_UNMAP_GRANT_REF, &undo);
    return nullptr;
  }
  std::lock_guard lock(mutex_);
  mapped_.emplace(page, request.index);
  return page;
}

void LinuxGrants::unmap(void* page) {
  std::lock_guard lock(mutex_);
  const auto found = mapped_.find(page);
  XVIF_ASSERT(found != mapped_.end());
  ::munmap(page, kPageBytes);
  ioctl_gntdev_unmap_grant_ref request{.index = found->second, .count = 1, .pad = 0};
  ::ioctl(device_.get(), IOCTL_GNTDEV_UNMAP_GRANT_REF, &request);
  mapped_.erase(found);
}

void LinuxGrants::set_own_domid(DomId self) {
  if (!gntalloc_) return;
  own_ = OwnPages::make(std::move(*gntalloc_), self, kOwnPages);
  gntalloc_.reset();
}

void LinuxGrants::copy(std::span<CopySegment> segments) {
  while (!segments.empty()) {
    const auto block = segments.first(std::min(segments.size(), kBlock));
    copy_block(block);
    segments = segments.subspan(block.size());
  }
}

void LinuxGrants::copy_block(std::span<CopySegment> segments) {
  std::array<gntdev_grant_copy_segment, kBlock> out;
  std::array<std::uint8_t, kBlock> which;           // out[i] is segments[which[i]]
  std::array<const std::uint8_t*, kBlock> arrives;  // where in our pages, if not at its local end
  OwnRoom room(own_.get());
  std::size_t count = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    CopySegment& segment = segments[i];
    // The kernel refuses the whole call for these two.
    const bool both_local = segment.source.local != nullptr && segment.dest.local != nullptr;
    const auto crosses = [&](const CopyEnd& end) {
      return end.local == nullptr && end.offset + std::size_t{segment.length} > kPageBytes;
    };
    if (both_local || crosses(segment.source) || crosses(segment.dest)) {
      segment.status = GrantStatus::kBadCopyArg;
      continue;
    }
    // Nothing to copy is answered by nobody.
    segment.status = segment.length == 0 ? GrantStatus::kOkay : GrantStatus::kGeneralError;
    gntdev_grant_copy_segment& copy = out[count];
    CopyEnd source = segment.source, dest = segment.dest;
    if (source.local != nullptr) {
      const void* const from = source.local;
      if (std::uint8_t* const passes = room.take(segment.length, source)) std::memcpy(passes, from, segment.length);
    }
    arrives[count] = dest.local == nullptr ? nullptr : room.take(segment.length, dest);
    which[count++] = static_cast<std::uint8_t>(i);
    put_end(source, copy.source);
    put_end(dest, copy.dest);
    copy.len = segment.length;
    copy.flags = static_cast<std::uint16_t>((source.local == nullptr ? kSourceGref : 0) |
                                            (dest.local == nullptr ? kDestGref : 0));
    copy.status = static_cast<std::int16_t>(segment.status);
  }
  if (count == 0) return;
  ioctl_gntdev_grant_copy request{.count = static_cast<unsigned>(count), .segments = out.data()};
  // The kernel marks a segment as okay before its hypercall, so of a call that fails no mark can be believed.
  const bool done = ::ioctl(device_.get(), IOCTL_GNTDEV_GRANT_COPY, &request) == 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto status = static_cast<GrantStatus>(out[i].status);
    CopySegment& segment = segments[which[i]];
    segment.status = done || status != GrantStatus::kOkay ? status : GrantStatus::kGeneralError;
    if (arrives[i] != nullptr && segment.status == GrantStatus::kOkay) {
      std::memcpy(segment.dest.local, arrives[i], segment.length);
    }
  }
}

}  // namespace xvif::xen
