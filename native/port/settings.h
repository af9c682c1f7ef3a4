// What a port is told besides what it is (PortSettings of src/datapath/datapath.ts). May change while traffic flows.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

namespace xvif {

/// Credit of what comes in: `bytes` per `interval_us`.
struct RateLimit {
  std::uint64_t bytes;
  std::uint32_t interval_us;
};

/// VLANs of a port, for NORMAL.
struct VlanMembership {
  std::uint16_t tag = 0;     // 1..4094: access port; 0: trunk
  std::bitset<4096> trunks;  // of a trunk; none set: all

  bool operator==(const VlanMembership&) const = default;
};

/// Sources that frames coming in may use. Addresses in network order.
struct SourceGuard {
  std::array<std::uint8_t, 6> mac;
  std::optional<std::vector<std::array<std::uint8_t, 4>>> ipv4;   // nullopt: any
  std::optional<std::vector<std::array<std::uint8_t, 16>>> ipv6;  // nullopt: any

  bool operator==(const SourceGuard&) const = default;
};

struct PortSettings {
  std::optional<RateLimit> rate;
  std::optional<VlanMembership> vlan;
  std::optional<SourceGuard> sources;
  bool disabled = false;
  bool complete_checksums = false;
  bool multicast_control = false;
  std::uint16_t xdp_headroom = 0;
  std::uint16_t mtu = 0;  // 0: none
};

}  // namespace xvif
