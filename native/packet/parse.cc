#include "packet/parse.h"

#include <algorithm>
#include <limits>

#include "packet/headers.h"
#include "packet/nsh.h"

namespace xvif {

namespace {

static_assert(kLinearMax <= std::numeric_limits<std::uint16_t>::max(), "header offsets are 16 bits");
// Words of the key that parse() writes as wholes.
static_assert(key_at::kEthDst == 8 && key_at::kIpProto == 14 && key_at::kIpDscp == 15);
static_assert(key_at::kEthSrc == 16 && key_at::kTtl == 22 && key_at::kFrag == 23);
static_assert(key_at::kIpv4Src == 24 && key_at::kIpv4Dst == 28);
static_assert(key_at::kTcpSrc == 32 && key_at::kTcpDst == 34 && key_at::kTcpFlags == 36 && key_at::kIpv6Exthdr == 38);
static_assert(key_at::kMplsLabel == 40 && key_at::kIpv6Flabel == 44);
static_assert(key_at::kIpv6Src == 64 && key_at::kArpTha == 120 && key_at::kPacketType == 132);
static_assert(key_at::kPbbIsid == 40 && key_at::kNshSpi == 24 && key_at::kNshFlags == 28 && key_at::kNshC1 == 64);

/// Of an I-TAG's TCI: use customer address, I-SID.
constexpr std::uint32_t kPbbKeyBits = 0x08ff'ffff;
constexpr std::uint64_t kSixBytes = 0x0000'ffff'ffff'ffffu;

template <typename T>
T load(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <typename T>
void store(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// A number as it lies in memory in network order.
constexpr std::uint16_t net16(std::uint16_t value) { return __builtin_bswap16(value); }

void clear_beyond_line(FlowKey& key) {
  std::memset(key.at(key_at::kIpv6Src), 0, 64);
  store<std::uint32_t>(key.at(key_at::kPacketType), packet_type::kEthernet);
}

/// Untagged, unfragmented TCP or UDP over IPv4 without options. False: something else, nothing written that the
/// general path would not write again.
inline bool parse_common(Packet& packet, FlowKey& key) {
  constexpr std::size_t kL4 = kEthernetBytes + kIpv4Bytes;
  const std::uint8_t* const d = packet.data;
  const std::uint8_t* const ip = d + kEthernetBytes;
  if (packet.linear < kL4 + kUdpBytes || load<std::uint16_t>(d + 12) != net16(ethertype::kIpv4) || ip[0] != 0x45) {
    return false;
  }
  const std::uint64_t proto = ip[9];
  const bool tcp = proto == ip_proto::kTcp;
  const std::size_t need = kIpv4Bytes + (tcp ? kTcpBytes : kUdpBytes);
  const bool fragment = (load<std::uint16_t>(ip + 6) & net16(0x3fff)) != 0;
  if (fragment | !(tcp | (proto == ip_proto::kUdp)) | (load_be16(ip + 2) < need) |
      (packet.linear < kEthernetBytes + need)) {
    return false;
  }
  // No tag: the VLAN container beside the ethertype is 0.
  store<std::uint32_t>(key.at(key_at::kEthType), net16(ethertype::kIpv4));
  store<std::uint64_t>(key.at(8), (load<std::uint64_t>(d) & kSixBytes) | proto << 48 | std::uint64_t{ip[1]} << 56);
  store<std::uint64_t>(key.at(16), (load<std::uint64_t>(d + 6) & kSixBytes) | std::uint64_t{ip[8]} << 48);
  store<std::uint64_t>(key.at(24), load<std::uint64_t>(ip + 12));
  // TCP flags without a branch: UDP reads its ports a second time and masks them away.
  const std::uint64_t flags = load<std::uint16_t>(d + kL4 + (tcp ? 12 : 0)) & (tcp ? net16(0x0fff) : 0u);
  store<std::uint64_t>(key.at(32), load<std::uint32_t>(d + kL4) | flags << 32);
  store<std::uint64_t>(key.at(40), 0);
  clear_beyond_line(key);
  packet.mpls = 0;
  packet.l3 = kEthernetBytes;
  packet.l4 = kL4;
  return true;
}

/// The general path. Starts from a key of zeros.
class Parser {
 public:
  Parser(Packet& packet, FlowKey& key)
      : packet_(packet), key_(key), d_(packet.data), end_(std::min<std::size_t>(packet.linear, kLinearMax)) {}

  void run() {
    clear();
    if (end_ < kEthernetBytes) return;
    std::memcpy(key_.at(key_at::kEthDst), d_, 6);
    std::memcpy(key_.at(key_at::kEthSrc), d_ + 6, 6);
    const EthertypePlace place = find_ethertype(d_, end_);
    store_be16(key_.at(key_at::kEthType), place.type);
    if (place.tag != 0) {
      // The drop-eligible bit gives its place to OFPVID_PRESENT.
      store_be16(key_.at(key_at::kVlanVid), static_cast<std::uint16_t>(load_be16(d_ + place.tag) | kVlanPresent));
    }
    network(place.type, place.next);
  }

 private:
  void clear() {
    packet_.mpls = packet_.l3 = packet_.l4 = 0;
    store<std::uint32_t>(key_.at(4), 0);
    std::memset(key_.at(8), 0, 40);
    clear_beyond_line(key_);
  }

  bool has(std::size_t at, std::size_t bytes) const { return at + bytes <= end_; }

  void network(std::uint16_t type, std::size_t at) {
    switch (type) {
      case ethertype::kIpv4:
        return ipv4(at);
      case ethertype::kIpv6:
        return ipv6(at);
      case ethertype::kArp:
        return arp(at);
      case ethertype::kMpls:
      case ethertype::kMplsMulticast:
        return mpls(at);
      case ethertype::kPbb:
        return pbb(at);
      case ethertype::kNsh:
        return service(at);
      default:
        return;
    }
  }

  void mpls(std::size_t at) {
    if (!has(at, kMplsBytes)) return;
    packet_.mpls = static_cast<std::uint16_t>(at);
    // The container ends with the TTL, which is not matched on.
    store_be32(key_.at(key_at::kMplsLabel), load_be32(d_ + at) & ~0xffu);
  }

  void pbb(std::size_t at) {
    if (!has(at, kPbbTciBytes + kEthernetBytes)) return;
    // Priority and drop eligibility are not matched on.
    store_be32(key_.at(key_at::kPbbIsid), load_be32(d_ + at) & kPbbKeyBits);
  }

  void service(std::size_t at) {
    if (nsh::header_bytes(d_, at, end_) == 0) return;
    const std::uint8_t* const header = d_ + at;
    const unsigned first = load_be16(header);
    *key_.at(key_at::kNshFlags) = static_cast<std::uint8_t>(first >> nsh::kFlagsShift & nsh::kFlagsBits);
    *key_.at(key_at::kNshTtl) = static_cast<std::uint8_t>(first >> nsh::kTtlShift & nsh::kTtlBits);
    *key_.at(key_at::kNshMdtype) = header[nsh::kMdTypeAt] & 15;
    *key_.at(key_at::kNshNp) = header[nsh::kNextAt];
    std::memcpy(key_.at(key_at::kNshSpi), header + nsh::kPathAt, 4);
    if (*key_.at(key_at::kNshMdtype) != nsh::kMdType1) return;
    std::memcpy(key_.at(key_at::kNshC1), header + nsh::kContextAt, nsh::kType1Bytes - nsh::kContextAt);
  }

  void arp(std::size_t at) {
    // Ethernet and IPv4 addresses (RFC 826).
    static constexpr std::uint8_t kEthernetIpv4[6] = {0, 1, 8, 0, 6, 4};
    if (!has(at, kArpBytes) || std::memcmp(d_ + at, kEthernetIpv4, sizeof kEthernetIpv4) != 0) return;
    packet_.l3 = static_cast<std::uint16_t>(at);
    const std::uint8_t* const a = d_ + at;
    std::memcpy(key_.at(key_at::kArpOp), a + 6, 2);
    std::memcpy(key_.at(key_at::kArpSha), a + 8, 6);
    std::memcpy(key_.at(key_at::kArpSpa), a + 14, 4);
    std::memcpy(key_.at(key_at::kArpTha), a + 18, 6);
    std::memcpy(key_.at(key_at::kArpTpa), a + 24, 4);
  }

  void ipv4(std::size_t at) {
    if (!has(at, kIpv4Bytes)) return;
    const std::uint8_t* const ip = d_ + at;
    const std::size_t header = (ip[0] & 15u) * 4u;
    const std::size_t total = load_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < kIpv4Bytes || !has(at, header) || total < header) return;
    packet_.l3 = static_cast<std::uint16_t>(at);
    *key_.at(key_at::kIpProto) = ip[9];
    *key_.at(key_at::kIpDscp) = ip[1];
    *key_.at(key_at::kTtl) = ip[8];
    std::memcpy(key_.at(key_at::kIpv4Src), ip + 12, 8);
    const std::uint16_t fragment = load_be16(ip + 6);
    Frag frag = Frag::kNone;
    if ((fragment & 0x1fff) != 0) {
      frag = Frag::kLater;
    } else if ((fragment & 0x2000) != 0) {
      frag = Frag::kFirst;
    }
    *key_.at(key_at::kFrag) = static_cast<std::uint8_t>(frag);
    if (frag == Frag::kLater) return;
    end_ = std::min(end_, at + total);  // what follows is padding of the frame
    transport(ip[9], at + header, false);
  }

  void ipv6(std::size_t at) {
    if (!has(at, kIpv6Bytes)) return;
    const std::uint8_t* const ip = d_ + at;
    if (ip[0] >> 4 != 6) return;
    packet_.l3 = static_cast<std::uint16_t>(at);
    const std::uint32_t first = load_be32(ip);
    *key_.at(key_at::kIpDscp) = static_cast<std::uint8_t>(first >> 20);
    store_be32(key_.at(key_at::kIpv6Flabel), first & 0xfffff);
    *key_.at(key_at::kTtl) = ip[7];
    std::memcpy(key_.at(key_at::kIpv6Src), ip + 8, 32);
    end_ = std::min<std::size_t>(end_, at + kIpv6Bytes + load_be16(ip + 4));
    const Ipv6Chain chain = walk_ipv6(d_, at, end_);
    *key_.at(key_at::kIpProto) = chain.proto;
    *key_.at(key_at::kFrag) = chain.frag;
    store_be16(key_.at(key_at::kIpv6Exthdr), chain.bits);
    if (chain.l4 != 0) transport(chain.proto, chain.l4, true);
  }

  void transport(std::uint8_t proto, std::size_t at, bool ipv6) {
    switch (proto) {
      case ip_proto::kTcp:
        if (ports(at, kTcpBytes)) store_be16(key_.at(key_at::kTcpFlags), load_be16(d_ + at + 12) & 0x0fff);
        return;
      case ip_proto::kUdp:
        ports(at, kUdpBytes);
        return;
      case ip_proto::kSctp:
        ports(at, kSctpBytes);
        return;
      case ip_proto::kIcmp:
        if (!ipv6) icmp(at);
        return;
      case ip_proto::kIcmpv6:
        if (ipv6 && icmp(at)) neighbour(at);
        return;
      default:
        return;
    }
  }

  bool ports(std::size_t at, std::size_t header) {
    if (!has(at, header)) return false;
    packet_.l4 = static_cast<std::uint16_t>(at);
    std::memcpy(key_.at(key_at::kTcpSrc), d_ + at, 4);
    return true;
  }

  bool icmp(std::size_t at) {
    if (!has(at, kIcmpBytes)) return false;
    packet_.l4 = static_cast<std::uint16_t>(at);
    store_be16(key_.at(key_at::kIcmpv4Type), d_[at]);
    store_be16(key_.at(key_at::kIcmpv4Code), d_[at + 1]);
    return true;
  }

  void neighbour(std::size_t at) {
    const std::uint8_t type = d_[at];
    const bool solicitation = type == kNeighbourSolicitation;
    if ((!solicitation && type != kNeighbourAdvertisement) || d_[at + 1] != 0 || !has(at, kNdBytes)) return;
    std::memcpy(key_.at(key_at::kIpv6NdTarget), d_ + at + kNdTargetAt, 16);
    std::memcpy(key_.at(key_at::kIcmpv6NdReserved), d_ + at + kNdReservedAt, 4);
    const std::uint8_t wanted = solicitation ? kNdSourceLink : kNdTargetLink;
    const std::size_t option = find_nd_option(d_, at, end_, wanted);
    if (option == 0) return;
    store_be16(key_.at(key_at::kIcmpv6NdOptionsType), wanted);
    std::memcpy(key_.at(solicitation ? key_at::kIpv6NdSll : key_at::kIpv6NdTll), d_ + option, 6);
  }

  Packet& packet_;
  FlowKey& key_;
  const std::uint8_t* const d_;
  std::size_t end_;
};

}  // namespace

void parse(Packet& packet, FlowKey& key) {
  if (!parse_common(packet, key)) [[unlikely]]
    Parser(packet, key).run();
  if (packet.bare) [[unlikely]]
    store_be32(key.at(key_at::kPacketType), packet_type::of(key.eth_type()));
}

}  // namespace xvif
