// The fields of a packet that flows can match on, one fixed place for each (base/schema.gen.h), in network order.
// The first 64 bytes hold everything an IPv4 rule needs, so that common rules touch one cache line. Fields whose
// prerequisites exclude each other share a place (ipv4_src and arp_spa; all L4 ports and ICMP types).
// Absent fields are zero.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/schema.gen.h"

namespace xvif {

inline constexpr std::size_t kFlowKeyWords = kFlowKeyBytes / 8;

/// vlan_vid: set in the container when the packet has a tag (OFPVID_PRESENT).
inline constexpr std::uint16_t kVlanPresent = 0x1000;

struct alignas(8) FlowKey {
  std::array<std::uint64_t, kFlowKeyWords> words;

  std::uint8_t* at(std::size_t offset) { return reinterpret_cast<std::uint8_t*>(words.data()) + offset; }
  const std::uint8_t* at(std::size_t offset) const {
    return reinterpret_cast<const std::uint8_t*>(words.data()) + offset;
  }
  std::uint16_t be16(std::size_t offset) const { return load_be16(at(offset)); }
  std::uint32_t be32(std::size_t offset) const { return load_be32(at(offset)); }
  std::uint64_t be64(std::size_t offset) const { return load_be64(at(offset)); }

  PortNo in_port() const { return PortNo{be32(key_at::kInPort)}; }
  std::uint16_t eth_type() const { return be16(key_at::kEthType); }
  std::uint32_t packet_type() const { return be32(key_at::kPacketType); }

  bool operator==(const FlowKey&) const = default;
};
static_assert(sizeof(FlowKey) == kFlowKeyBytes);

/// Whether what is matched with this mask may be a packet without an Ethernet header: packet_type is asked for, or
/// nothing of any header (OpenFlow 1.5.1 section 7.2.3.11).
bool takes_any_type(const FlowKey& mask);

/// Writes `value` (network order, ceil(bits/8) bytes) into the field's place, leaving the container's other bits.
void set_field(FlowKey& key, Field field, const std::uint8_t* value);
/// Reads the field out of its place, ceil(bits/8) bytes in network order.
void get_field(const FlowKey& key, Field field, std::uint8_t* value);
/// Bytes of a field's value.
constexpr std::size_t field_bytes(Field field) {
  return (kFieldPlaces[static_cast<std::size_t>(field)].bits + 7u) / 8u;
}

}  // namespace xvif
