// Port security: which frames a guarded port may send. What the vSwitch rules of XenServer's locking mode do
// (xen-api, setup-vif-rules), and where it differs:
//
//               XenServer                             here
//   IPv4 DHCP   UDP to port 67 from any source        from 0.0.0.0, port 68 to 67 (others are in the list or not)
//   ARP         0.0.0.0 as sender in all              in requests only: a probe (RFC 5227)
//   IPv6        listed sources only                   also the link-local address made from the MAC (RFC 4291 app. A),
//                                                     and `::` for address detection (RFC 4862) and MLD (RFC 3590)
//   ND          solicitations must name their MAC     must not name another
//               target of an advertisement = source   one of the port's addresses
//   tags        pass                                  dropped, but for a single priority tag
//
// Where no address list is given the MAC alone is guarded: any ethertype passes then, but neither ARP nor neighbour
// discovery may name another MAC. Whatever is not parsed, or not wholly there, does not pass.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "packet/flow_key.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "port/settings.h"

namespace xvif {

class SourceFilter {
 public:
  explicit SourceFilter(const SourceGuard& guard);
  bool operator==(const SourceFilter&) const = default;

  /// `key` as parse() made it from `packet`.
  bool admits(const Packet& packet, const FlowKey& key) const;

 private:
  using Ipv4 = std::array<std::uint8_t, 4>;
  using Ipv6 = std::array<std::uint8_t, 16>;
  struct Icmpv6;

  bool admits_arp(const Packet& packet, const FlowKey& key) const;
  bool admits_ipv4(const Packet& packet, const FlowKey& key) const;
  bool admits_ipv6(const Packet& packet, const FlowKey& key) const;
  bool admits_icmpv6(const Icmpv6& message) const;
  /// Link-layer addresses among the options of neighbour discovery.
  bool admits_options(const std::uint8_t* options, std::size_t bytes) const;
  bool is_own(const std::uint8_t* mac) const;
  bool is_own(const Ipv6& address) const;

  std::array<std::uint8_t, 6> mac_;
  std::optional<std::vector<Ipv4>> ipv4_;  // ascending
  std::optional<std::vector<Ipv6>> ipv6_;  // ascending
  bool locked_;                            // to addresses of a list
};

}  // namespace xvif
