#include "pipeline/source_filter.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "packet/reserved_mac.h"

namespace xvif {
namespace {

constexpr std::uint16_t kArpRequest = 1;
constexpr std::uint16_t kDhcpServer = 67;
constexpr std::uint16_t kDhcpClient = 68;
constexpr std::uint16_t kVidBits = 0x0fff;

// ICMPv6 types.
constexpr std::uint8_t kMldReport = 131;
constexpr std::uint8_t kMldv2Report = 143;
constexpr std::uint8_t kRouterSolicitation = 133;
constexpr std::uint8_t kRouterAdvertisement = 134;
constexpr std::uint8_t kRedirect = 137;
/// Mobile prefix solicitation and advertisement, multicast router discovery.
constexpr std::uint8_t kOfRouters[] = {146, 147, 151, 152, 153};

/// Bytes before the options, from the ICMPv6 type on (RFC 4861 section 4).
std::size_t options_at(std::uint8_t type) {
  switch (type) {
    case kRouterSolicitation:
      return 8;
    case kRouterAdvertisement:
      return 16;
    case kRedirect:
      return 40;
    default:
      return kNdBytes;
  }
}

bool is_discovery(std::uint8_t type) { return type >= kRouterSolicitation && type <= kRedirect; }

/// Untagged, or with a priority tag only (IEEE 802.1Q section 6.8: VLAN id 0).
bool is_untagged(const Packet& packet, const FlowKey& key) {
  const std::uint16_t container = key.be16(key_at::kVlanVid);
  if ((container & kVlanPresent) == 0) return true;
  return (container & kVidBits) == 0 && load_be16(packet.data + 12) == ethertype::kVlan &&
         !ethertype::is_vlan(load_be16(packet.data + 16));
}

std::array<std::uint8_t, 16> link_local(const std::array<std::uint8_t, 6>& mac) {
  return {0xfe,   0x80,   0,    0,    0,      0,      0,     0, static_cast<std::uint8_t>(mac[0] ^ 2),
          mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
}

template <typename Address>
Address load_address(const std::uint8_t* at) {
  Address address;
  std::memcpy(address.data(), at, address.size());
  return address;
}

bool is_zero(const auto& address) {
  return std::all_of(address.begin(), address.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

/// An ICMPv6 message; unfragmented, or the first fragment of one.
struct SourceFilter::Icmpv6 {
  const std::uint8_t* at;
  std::size_t bytes;  // that are there
  bool whole;         // nothing is missing, and it is no fragment
  bool unspecified;   // the source is `::`
};

SourceFilter::SourceFilter(const SourceGuard& guard)
    : mac_(guard.mac), ipv4_(guard.ipv4), ipv6_(guard.ipv6), locked_(guard.ipv4 || guard.ipv6) {
  if (ipv4_) std::sort(ipv4_->begin(), ipv4_->end());
  if (ipv6_ && !ipv6_->empty()) {
    ipv6_->push_back(link_local(mac_));
    std::sort(ipv6_->begin(), ipv6_->end());
  }
}

bool SourceFilter::is_own(const std::uint8_t* mac) const { return std::memcmp(mac, mac_.data(), mac_.size()) == 0; }

bool SourceFilter::is_own(const Ipv6& address) const {
  return !ipv6_ || std::binary_search(ipv6_->begin(), ipv6_->end(), address);
}

bool SourceFilter::admits(const Packet& packet, const FlowKey& key) const {
  if (packet.linear < kEthernetBytes || !is_own(key.at(key_at::kEthSrc))) return false;
  if (is_reserved_mac(key.at(key_at::kEthDst))) return false;
  if (locked_ && !is_untagged(packet, key)) return false;
  switch (key.eth_type()) {
    case ethertype::kArp:
      return admits_arp(packet, key);
    case ethertype::kIpv4:
      return admits_ipv4(packet, key);
    case ethertype::kIpv6:
      return admits_ipv6(packet, key);
    default:
      return !locked_;
  }
}

bool SourceFilter::admits_arp(const Packet& packet, const FlowKey& key) const {
  if (packet.l3 == 0 || !is_own(key.at(key_at::kArpSha))) return false;
  if (!ipv4_) return true;
  const auto sender = load_address<Ipv4>(key.at(key_at::kArpSpa));
  if (is_zero(sender)) return key.be16(key_at::kArpOp) == kArpRequest;
  return std::binary_search(ipv4_->begin(), ipv4_->end(), sender);
}

bool SourceFilter::admits_ipv4(const Packet& packet, const FlowKey& key) const {
  if (packet.l3 == 0) return false;
  if (!ipv4_) return true;
  const auto source = load_address<Ipv4>(key.at(key_at::kIpv4Src));
  if (!is_zero(source)) return std::binary_search(ipv4_->begin(), ipv4_->end(), source);
  const bool fragment = *key.at(key_at::kFrag) != static_cast<std::uint8_t>(Frag::kNone);
  return !fragment && packet.l4 != 0 && *key.at(key_at::kIpProto) == ip_proto::kUdp &&
         key.be16(key_at::kUdpSrc) == kDhcpClient && key.be16(key_at::kUdpDst) == kDhcpServer;
}

bool SourceFilter::admits_ipv6(const Packet& packet, const FlowKey& key) const {
  if (packet.l3 == 0) return false;
  const auto source = load_address<Ipv6>(key.at(key_at::kIpv6Src));
  const bool unspecified = is_zero(source);
  if (unspecified ? ipv6_ && ipv6_->empty() : !is_own(source)) return false;
  const std::size_t length = packet.l3 + kIpv6Bytes + load_be16(packet.data + packet.l3 + 4);
  const std::size_t end = std::min<std::size_t>(packet.linear, length);
  const Ipv6Chain chain = walk_ipv6(packet.data, packet.l3, end);
  const auto frag = static_cast<Frag>(chain.frag);
  // Its first fragment is looked at, and has all headers or does not pass (RFC 7112).
  if (frag == Frag::kLater) return !(unspecified && ipv6_);
  if (chain.l4 == 0) {
    const bool ends = chain.proto == ip_proto::kNoNext || chain.proto == ip_proto::kEsp;
    return ends && !(unspecified && ipv6_);
  }
  if (chain.proto != ip_proto::kIcmpv6) return !(unspecified && ipv6_);
  if (chain.l4 >= end) return false;
  return admits_icmpv6({.at = packet.data + chain.l4,
                        .bytes = end - chain.l4,
                        .whole = length <= packet.linear && frag == Frag::kNone,
                        .unspecified = unspecified});
}

bool SourceFilter::admits_icmpv6(const Icmpv6& message) const {
  const std::uint8_t type = *message.at;
  if (ipv6_) {
    const bool of_routers = type == kRouterAdvertisement || type == kRedirect ||
                            std::find(std::begin(kOfRouters), std::end(kOfRouters), type) != std::end(kOfRouters);
    if (of_routers) return false;
    const bool before_address = type == kNeighbourSolicitation || type == kMldReport || type == kMldv2Report;
    if (message.unspecified && !(before_address && message.whole)) return false;
  }
  if (!is_discovery(type)) return true;
  // Fragments of it are to be ignored by receivers, and not all do (RFC 6980).
  const std::size_t fixed = options_at(type);
  if (!message.whole || message.bytes < fixed) return false;
  const bool claims = type == kNeighbourAdvertisement || (type == kNeighbourSolicitation && message.unspecified);
  if (claims && !is_own(load_address<Ipv6>(message.at + kNdTargetAt))) return false;
  return admits_options(message.at + fixed, message.bytes - fixed);
}

bool SourceFilter::admits_options(const std::uint8_t* options, std::size_t bytes) const {
  while (bytes > 0) {
    const std::size_t option = bytes < 8 ? 0 : options[1] * 8u;
    if (option == 0 || option > bytes) return false;
    const bool link = options[0] == kNdSourceLink || options[0] == kNdTargetLink;
    if (link && (option != 8 || !is_own(options + 2))) return false;
    options += option;
    bytes -= option;
  }
  return true;
}

}  // namespace xvif
