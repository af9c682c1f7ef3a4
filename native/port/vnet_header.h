// The header that TAP devices and packet sockets put before a frame: what of its checksum and segmentation is left
// to do. Layout of struct virtio_net_hdr (linux/virtio_net.h), host byte order.
#pragma once

#include <cstdint>
#include <type_traits>

#include "packet/packet.h"

namespace xvif {

struct VnetHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t hdr_len = 0;  // bytes of headers, a hint for GSO frames
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;

  static constexpr std::uint8_t kNeedsCsum = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
  static constexpr std::uint8_t kGsoTcpv4 = 1;   // VIRTIO_NET_HDR_GSO_TCPV4
  static constexpr std::uint8_t kGsoTcpv6 = 4;   // VIRTIO_NET_HDR_GSO_TCPV6
  static constexpr std::uint8_t kGsoEcn = 0x80;  // VIRTIO_NET_HDR_GSO_ECN
};
static_assert(sizeof(VnetHeader) == 10 && std::is_trivially_copyable_v<VnetHeader>);

/// What `packet` leaves to the next one.
VnetHeader vnet_header_of(const Packet& packet);
/// Takes over what a received header says about `packet`, whose size is set. False for a kind of segmentation that
/// we do not know (UDP), or offsets outside the linear part.
bool apply_vnet_header(const VnetHeader& header, Packet& packet);

}  // namespace xvif
