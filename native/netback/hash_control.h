// Control requests 1 to 7: hash algorithm, types, key and mapping, as Linux' xenvif answers them. Whatever the
// frontend asks for takes effect as one Steering.
//
// Thread: the control ring's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/ids.h"
#include "netback/steering.h"
#include "xen/hypervisor.h"
#include "xen/netif.h"

namespace xvif::netback {

/// What a response says besides id and type.
struct ControlReply {
  std::uint32_t status;  // xen::ctrl
  std::uint32_t data = 0;
};

/// Copies the first `out.size()` bytes of a granted page, at most a page. False when the grant does not allow it.
bool fetch_page(xen::GrantTable& grants, DomId domid, GrantRef ref, std::span<std::uint8_t> out);

class HashControl {
 public:
  /// `queues`: of the vif, 1..kVifQueuesMax.
  HashControl(DomId domid, std::size_t queues, PublishedSteering& published)
      : domid_(domid), queues_(static_cast<std::uint32_t>(queues)), published_(published) {}

  /// Types 1..7 only.
  ControlReply handle(const xen::CtrlRequest& request, xen::GrantTable& grants);

 private:
  ControlReply set_algorithm(std::uint32_t algorithm);
  ControlReply get_flags() const;
  ControlReply set_flags(std::uint32_t flags);
  ControlReply set_key(xen::GrantTable& grants, GrantRef ref, std::uint32_t bytes);
  ControlReply set_mapping_size(std::uint32_t entries);
  ControlReply set_mapping(xen::GrantTable& grants, GrantRef ref, std::uint32_t count, std::uint32_t offset);
  void publish();

  const DomId domid_;
  const std::uint32_t queues_;
  PublishedSteering& published_;
  std::uint32_t algorithm_ = xen::ctrl::kAlgorithmNone;
  std::uint32_t types_ = 0;  // mask
  std::array<std::uint8_t, kHashKeyMax> key_{};
  std::shared_ptr<const Toeplitz> toeplitz_;  // of key_; nullptr: not needed yet
  std::uint32_t entries_ = 0;
  std::array<std::uint8_t, kHashMappingMax> mapping_{};  // each < queues_
};

}  // namespace xvif::netback
