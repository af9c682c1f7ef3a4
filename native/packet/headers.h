// Ethertypes, IP protocols and header layouts, as far as we look into them; and the walks over chains of headers that
// the parser and the actions must do alike.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xvif {

namespace ethertype {
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kArp = 0x0806;
inline constexpr std::uint16_t kVlan = 0x8100;
inline constexpr std::uint16_t kServiceVlan = 0x88a8;
inline constexpr std::uint16_t kIpv6 = 0x86dd;
inline constexpr std::uint16_t kMpls = 0x8847;
inline constexpr std::uint16_t kMplsMulticast = 0x8848;
/// The I-TAG of IEEE 802.1ah.
inline constexpr std::uint16_t kPbb = 0x88e7;
/// RFC 8300
inline constexpr std::uint16_t kNsh = 0x894f;
/// The smallest; below are lengths of IEEE 802.3.
inline constexpr std::uint16_t kFirst = 0x0600;
/// What the key says of 802.3 frames without SNAP (OpenFlow 1.0 OFP_DL_TYPE_NOT_ETH_TYPE).
inline constexpr std::uint16_t kNone = 0x05ff;

inline constexpr bool is_vlan(std::uint16_t type) { return type == kVlan || type == kServiceVlan; }
inline constexpr bool is_mpls(std::uint16_t type) { return type == kMpls || type == kMplsMulticast; }
}  // namespace ethertype

/// As packet_type has them (OpenFlow 1.5.1 section 7.2.3.11): namespace in the upper half, type in the lower.
namespace packet_type {
inline constexpr std::uint32_t kEthernet = 0;
/// Without an Ethernet header, what its ethertype would say.
inline constexpr std::uint32_t of(std::uint16_t ethertype) { return 1u << 16 | ethertype; }
}  // namespace packet_type

namespace ip_proto {
inline constexpr std::uint8_t kHopByHop = 0;
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kRouting = 43;
inline constexpr std::uint8_t kFragment = 44;
inline constexpr std::uint8_t kEsp = 50;
inline constexpr std::uint8_t kAuth = 51;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kNoNext = 59;
inline constexpr std::uint8_t kDestination = 60;
inline constexpr std::uint8_t kSctp = 132;
}  // namespace ip_proto

/// OFPIEH_*: bits of ipv6_exthdr (OpenFlow 1.3.5 section 7.2.3.8).
namespace exthdr {
inline constexpr std::uint16_t kNoNext = 1 << 0;
inline constexpr std::uint16_t kEsp = 1 << 1;
inline constexpr std::uint16_t kAuth = 1 << 2;
inline constexpr std::uint16_t kDest = 1 << 3;
inline constexpr std::uint16_t kFrag = 1 << 4;
inline constexpr std::uint16_t kRouter = 1 << 5;
inline constexpr std::uint16_t kHop = 1 << 6;
inline constexpr std::uint16_t kUnrep = 1 << 7;
inline constexpr std::uint16_t kUnseq = 1 << 8;
}  // namespace exthdr

inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr std::uint16_t kVlanBytes = 4;
inline constexpr std::uint16_t kMplsBytes = 4;
/// TCI of an I-TAG: priority 3, drop eligible 1, use customer address 1, reserved 3, I-SID 24 bits.
inline constexpr std::uint16_t kPbbTciBytes = 4;
/// What an I-TAG puts before a frame: two addresses, ethertype, TCI.
inline constexpr std::uint16_t kPbbBytes = 18;
inline constexpr std::size_t kSnapBytes = 8;  // LLC and SNAP, the ethertype in the last two
inline constexpr std::size_t kArpBytes = 28;
inline constexpr std::size_t kIpv4Bytes = 20;
inline constexpr std::size_t kIpv6Bytes = 40;
inline constexpr std::size_t kTcpBytes = 20;
inline constexpr std::size_t kUdpBytes = 8;
inline constexpr std::size_t kSctpBytes = 12;
inline constexpr std::size_t kIcmpBytes = 4;  // type, code, checksum
inline constexpr std::size_t kNdBytes = 24;   // neighbour solicitation and advertisement, without options
inline constexpr std::size_t kNdReservedAt = 4;
inline constexpr std::size_t kNdTargetAt = 8;

inline constexpr std::uint8_t kNeighbourSolicitation = 135;
inline constexpr std::uint8_t kNeighbourAdvertisement = 136;
/// Options of neighbour discovery (RFC 4861 section 4.6.1): type, length 1 (of 8 bytes), MAC address.
inline constexpr std::uint8_t kNdSourceLink = 1;
inline constexpr std::uint8_t kNdTargetLink = 2;

/// Where the ethertype lies that says what follows Ethernet and VLAN tags, and 802.3 SNAP.
struct EthertypePlace {
  std::size_t at;      // offset of the two bytes; of the length in 802.3 without SNAP
  std::uint16_t type;  // as in the key
  std::size_t next;    // offset of what it speaks of; 0: 802.3 without SNAP
  std::size_t length;  // offset of the 802.3 length; 0: none
  std::size_t tag;     // offset of the TCI of the first VLAN tag; 0: none
};
/// `bytes` >= kEthernetBytes.
EthertypePlace find_ethertype(const std::uint8_t* frame, std::size_t bytes);

/// What follows an IPv6 header.
struct Ipv6Chain {
  std::size_t next_at;  // offset of the byte that names `proto`
  std::size_t l4;       // offset of what `proto` names; 0: later fragment, or a header is cut or missing
  std::uint16_t bits;   // OFPIEH_*
  std::uint8_t proto;   // after all extension headers that are there
  std::uint8_t frag;    // Frag
  bool routed;          // a routing header with segments left: the destination address is not the final one
};
/// `l3`: offset of a whole IPv6 header; `end`: first offset that may not be read.
Ipv6Chain walk_ipv6(const std::uint8_t* frame, std::size_t l3, std::size_t end);

/// Offset of the MAC address in the first neighbour discovery option `type`; 0: none. `l4`: offset of the ICMPv6
/// header, of which kNdBytes are there.
std::size_t find_nd_option(const std::uint8_t* frame, std::size_t l4, std::size_t end, std::uint8_t type);

}  // namespace xvif
