// Frames that the built-in stack sends. Addresses and ports in network order as bytes, numbers as numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace xvif::guest {

using Mac = std::array<std::uint8_t, 6>;
using Bytes = std::vector<std::uint8_t>;

inline constexpr Mac kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// IPv4 (first four bytes) or IPv6.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<IpAddress> parse(const std::string& text);
  /// From the header: `at` has 4 or 16 bytes.
  static IpAddress from(const std::uint8_t* at, bool v6);
  std::span<const std::uint8_t> span() const { return std::span(bytes).first(v6 ? 16 : 4); }
  bool operator==(const IpAddress&) const = default;
  struct Hash {
    std::size_t operator()(const IpAddress& address) const;
  };
};

/// fe80::/64 with the interface identifier made of the MAC (RFC 4291 appendix A).
IpAddress link_local(const Mac& mac);
/// The group ff02::1:ff00:0/104 of an address, and the MAC a group maps to (RFC 4291 2.7.1, RFC 2464 7).
IpAddress solicited_node(const IpAddress& address);
Mac multicast_mac(const IpAddress& address);

namespace proto {
inline constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;
}
namespace ether {
inline constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806, kIpv6 = 0x86dd;
inline constexpr std::size_t kHeader = 14;
}  // namespace ether

struct Addresses {
  Mac source_mac, dest_mac;
  IpAddress source, dest;  // of the same family
};

/// `op` 1 request, 2 reply (RFC 826). `dest_mac` of the frame; target_mac of the body.
Bytes make_arp(std::uint16_t op, const Mac& source_mac, const IpAddress& source, const Mac& dest_mac,
               const Mac& target_mac, const IpAddress& target);
/// An IP packet with hop limit `ttl` around `l4`, whose checksum field at `csum_at` is filled in, or set to the
/// pseudo-header sum when `blank`.
Bytes make_ip(const Addresses& addresses, std::uint8_t protocol, std::uint8_t ttl, std::span<const std::uint8_t> l4,
              std::size_t csum_at, bool blank = false);
Bytes make_udp(const Addresses& addresses, std::uint16_t source_port, std::uint16_t dest_port,
               std::span<const std::uint8_t> payload, bool blank = false);
/// ICMP or ICMPv6 echo, by the family of the addresses.
Bytes make_echo(const Addresses& addresses, bool request, std::uint16_t id, std::uint16_t sequence,
                std::span<const std::uint8_t> payload);
/// RFC 4861 4.3, with the source link-layer address; to the solicited-node group of `target`.
Bytes make_neighbour_solicitation(const Mac& source_mac, const IpAddress& source, const IpAddress& target);
/// RFC 4861 4.4, for addresses.source, with the target link-layer address.
Bytes make_neighbour_advertisement(const Addresses& addresses, bool solicited);

}  // namespace xvif::guest
