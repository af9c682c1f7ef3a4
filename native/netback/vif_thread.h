// What netback needs of each data plane thread: its grants, and scratch memory for frames whose bytes must be
// changed. Made by the datapath, one per thread, shared by all vifs. Used by that thread only, but for grants() which
// the control thread uses to map and unmap.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/limits.h"
#include "packet/packet.h"
#include "xen/hypervisor.h"

namespace xvif::netback {

/// Segments handed to the hypervisor at once.
inline constexpr std::size_t kCopyBatch = 256;

/// Fetches granted payload with one batched copy.
class GrantLinearizer final : public Linearizer {
 public:
  explicit GrantLinearizer(xen::GrantTable& grants) : grants_(grants) {}
  bool copy_out(const Packet& packet, std::span<std::uint8_t> out) override;

 private:
  xen::GrantTable& grants_;
};

class VifThread {
 public:
  explicit VifThread(std::unique_ptr<xen::GrantTable> grants);
  VifThread(const VifThread&) = delete;
  VifThread& operator=(const VifThread&) = delete;

  xen::GrantTable& grants() { return *grants_; }
  Linearizer& linearizer() { return linearizer_; }
  /// kFrameMax bytes.
  std::span<std::uint8_t> scratch() { return scratch_; }
  std::span<xen::CopySegment, kCopyBatch> segments() { return segments_; }

 private:
  std::unique_ptr<xen::GrantTable> grants_;
  GrantLinearizer linearizer_;
  std::vector<std::uint8_t> scratch_;
  std::array<xen::CopySegment, kCopyBatch> segments_;
};

}  // namespace xvif::netback
