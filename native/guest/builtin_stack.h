// A host in a few hundred lines: ARP, IPv6 neighbour discovery, ICMP and ICMPv6 echo (both sides), UDP echo (port 7),
// a UDP source and a sink that counts. Everything is on its own link; no fragments, no options, no VLANs.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "guest/options.h"
#include "guest/stack.h"
#include "guest/wire.h"

namespace xvif::guest {

class BuiltinStack final : public Stack {
 public:
  struct Config {
    Mac mac;
    IpAddress ipv4;
    std::optional<IpAddress> ipv6;
    unsigned mtu;
    bool csum_offload;  // UDP replies leave their checksum to the backend
  };
  BuiltinStack(const Config& config, FrameOutput& output);

  void on_frame(const netfront::RxFrame& frame) override;
  bool poll(std::uint64_t now_ns) override;
  std::uint64_t deadline() const override;
  void announce() override;
  std::uint64_t udp_received() const override { return udp_received_; }
  /// Those whose checksum was wrong.
  std::uint64_t rx_errors() const override { return bad_checksums_; }
  bool ping(const PingOptions& options, std::function<void(const PingResult&)> done) override;
  bool start_traffic(const TrafficOptions& options) override;
  void stop_traffic() override { traffic_.reset(); }
  void close() override;

 private:
  struct Ping {
    PingOptions options;
    IpAddress address;
    std::uint16_t id;
    std::function<void(const PingResult&)> done;
    PingResult result;
    std::vector<std::uint64_t> sent_ns;  // by sequence; 0: answered
    std::uint64_t next_ns;
    std::uint64_t resolve_until_ns;
    std::uint64_t last_sent_ns = 0;
  };
  struct Traffic {
    TrafficOptions options;
    IpAddress address;
    std::vector<Bytes> frames;  // one per queue; empty until resolved
    std::uint64_t tag;
    std::uint64_t start_ns = 0;
    std::uint64_t sent = 0;
    std::uint64_t next_ns = 0;
    std::size_t next_queue = 0;  // free-running
    bool blocked = false;        // the ring is full: its responses wake us
  };

  void on_arp(std::span<const std::uint8_t> frame);
  void on_ip(std::span<const std::uint8_t> frame, bool v6, bool blank);
  void on_icmp(std::span<const std::uint8_t> l4, const Addresses& back);
  void on_icmpv6(std::span<const std::uint8_t> l4, const Addresses& back);
  void on_udp(std::span<const std::uint8_t> l4, const Addresses& back);
  void on_echo_reply(const IpAddress& from, std::span<const std::uint8_t> l4);
  bool sink_fast(const netfront::RxFrame& frame);
  bool is_ours(const IpAddress& address) const;
  IpAddress source_for(const IpAddress& dest) const;
  void learn(const IpAddress& address, const std::uint8_t* mac);
  std::optional<Mac> resolve(const IpAddress& address);
  bool send(const Bytes& frame, bool csum_blank = false);
  bool poll_ping(Ping& ping, std::uint64_t now);
  bool poll_traffic(Traffic& traffic, std::uint64_t now);
  bool make_frames(Traffic& traffic);

  const Config config_;
  const IpAddress link_local_;
  FrameOutput& output_;
  std::unordered_map<IpAddress, Mac, IpAddress::Hash> neighbours_;
  std::vector<Ping> pings_;
  std::optional<Traffic> traffic_;
  std::uint16_t next_ping_id_ = 1;
  std::uint64_t next_tag_ = 1;
  std::uint64_t udp_received_ = 0;
  std::uint64_t bad_checksums_ = 0;
};

}  // namespace xvif::guest
