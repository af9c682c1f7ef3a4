// What a control thread says to and hears from an emulated guest.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "netfront/ring_rules.h"

namespace xvif::guest {

struct TapStackOptions {
  std::string device;
  std::string netns;  // a name under /run/netns; empty: where we are
};
struct BuiltinStackOptions {
  std::string ipv4;  // dotted
  std::string ipv6;  // empty: none
};

struct FrontendOptions {
  std::array<std::uint8_t, 6> mac{};
  unsigned mtu = 1500;  // without the Ethernet header
  unsigned queues = 1;
  bool split_event_channels = true;
  bool sg = true;
  bool gso_tcpv4 = true;
  bool gso_tcpv6 = true;
  bool csum_offload = true;
  bool control_ring = false;
  netfront::RingRules rules;
  std::variant<TapStackOptions, BuiltinStackOptions> stack;
};

struct PingOptions {
  std::string address;  // IPv4 or IPv6
  unsigned count = 1;
  unsigned interval_ms = 1000;
  unsigned timeout_ms = 1000;
  unsigned size = 56;  // bytes after the ICMP header
};
struct PingResult {
  unsigned sent = 0;
  unsigned received = 0;
  std::vector<double> rtt_us;
};
struct TrafficOptions {
  std::string address;
  std::uint16_t port = 9;
  unsigned frame_size = 64;  // Ethernet header included, FCS not
  double pps = 0;            // 0: as fast as the ring takes them
};

struct SendOptions {
  bool csum_blank = false;
  std::uint16_t gso_size = 0;
  std::uint8_t gso_type = 0;
};
struct TakenFrame {
  std::vector<std::uint8_t> frame;
  bool csum_blank;
  std::uint16_t gso_size;
  std::uint8_t gso_type;
  std::uint32_t slots;
  std::uint16_t xdp_headroom;
  bool hashed;  // with the two below
  std::uint8_t hash_type;
  std::uint32_t hash;
};
struct GuestStats {
  std::uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, tx_dropped, rx_errors, udp_received;
};

}  // namespace xvif::guest
