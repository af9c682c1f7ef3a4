#include "actions/modify_ip.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/headers.h"
#include "packet/parse.h"

namespace xvif {

namespace {

bool is_ipv4(const Packet& packet, const FlowKey& key) { return packet.l3 != 0 && key.eth_type() == ethertype::kIpv4; }
bool is_ipv6(const Packet& packet, const FlowKey& key) { return packet.l3 != 0 && key.eth_type() == ethertype::kIpv6; }
std::uint8_t proto_of(const FlowKey& key) { return *key.at(key_at::kIpProto); }

/// Where parse() stops looking in an IPv6 packet.
std::size_t ipv6_end(const Packet& packet) {
  const std::size_t linear = std::min<std::size_t>(packet.linear, kLinearMax);
  return std::min<std::size_t>(linear, packet.l3 + kIpv6Bytes + load_be16(packet.data + packet.l3 + 4));
}

/// The checksum of the L4 header.
struct L4Checksum {
  std::uint8_t* field = nullptr;  // nullptr: none, or none in use
  bool blank = false;             // holds the pseudo-header sum only
  bool pseudo = true;             // covers the pseudo header
  bool udp = false;
};

L4Checksum l4_checksum(Packet& packet, const FlowKey& key) {
  L4Checksum checksum;
  if (packet.l4 == 0) return checksum;
  std::uint16_t offset;
  switch (proto_of(key)) {
    case ip_proto::kTcp:
      offset = 16;
      break;
    case ip_proto::kUdp:
      offset = 6;
      checksum.udp = true;
      break;
    case ip_proto::kIcmp:
      offset = 2;
      checksum.pseudo = false;
      break;
    case ip_proto::kIcmpv6:
      offset = 2;
      break;
    default:
      return checksum;
  }
  std::uint8_t* const field = packet.data + packet.l4 + offset;
  checksum.blank = packet.csum_blank && packet.csum_start == packet.l4 && packet.csum_offset == offset;
  if (checksum.udp && !checksum.blank && load_be16(field) == 0) return checksum;  // RFC 768: none was made
  checksum.field = field;
  return checksum;
}

/// The blank field holds a sum, not its complement.
template <typename Update>
void update(const L4Checksum& checksum, Update&& updated) {
  if (checksum.blank) {
    const auto complement = static_cast<std::uint16_t>(~load_be16(checksum.field));
    store_be16(checksum.field, static_cast<std::uint16_t>(~updated(complement)));
    return;
  }
  std::uint16_t value = updated(load_be16(checksum.field));
  if (value == 0 && checksum.udp) value = 0xffff;
  store_be16(checksum.field, value);
}

/// Bytes covered by the pseudo header change, before they are overwritten.
void pseudo_changes(Packet& packet, const FlowKey& key, const std::uint8_t* from, const std::uint8_t* to,
                    std::size_t bytes) {
  const L4Checksum checksum = l4_checksum(packet, key);
  if (checksum.field == nullptr || !checksum.pseudo) return;
  update(checksum, [&](std::uint16_t value) { return updated_checksum(value, from, to, bytes); });
}

/// `bytes` bytes at `at`, behind the L4 header's start, become `to`.
void write_l4(Packet& packet, const FlowKey& key, std::uint8_t* at, const std::uint8_t* to, std::size_t bytes) {
  const L4Checksum checksum = l4_checksum(packet, key);
  if (checksum.field != nullptr && !checksum.blank) {
    update(checksum, [&](std::uint16_t value) { return updated_checksum(value, at, to, bytes); });
  }
  std::memcpy(at, to, bytes);
}

void write_ipv4_word(std::uint8_t* l3, std::size_t at, std::uint16_t value) {
  store_be16(l3 + 10, updated_checksum(load_be16(l3 + 10), load_be16(l3 + at), value));
  store_be16(l3 + at, value);
}

/// SCTP ports are the first four bytes of what the CRC covers.
void write_sctp_port(Packet& packet, const FlowKey& key, std::size_t at, const std::uint8_t* value) {
  constexpr std::size_t kChecksumAt = 8;
  std::uint8_t* const sctp = packet.data + packet.l4;
  std::uint32_t before;
  std::memcpy(&before, sctp, sizeof before);
  std::memcpy(sctp + at, value, 2);
  std::uint32_t ports;
  std::memcpy(&ports, sctp, sizeof ports);
  if (*key.at(key_at::kFrag) != 0) return;  // how long the whole is, is not known here
  const std::uint8_t* const l3 = packet.data + packet.l3;
  const std::size_t ip_bytes = key.eth_type() == ethertype::kIpv4 ? load_be16(l3 + 2) : kIpv6Bytes + load_be16(l3 + 4);
  const std::size_t sctp_bytes = ip_bytes - (packet.l4 - packet.l3);
  std::uint32_t crc;
  std::memcpy(&crc, sctp + kChecksumAt, sizeof crc);
  crc ^= crc32c_change(before ^ ports, sctp_bytes - sizeof ports);
  std::memcpy(sctp + kChecksumAt, &crc, sizeof crc);
}

}  // namespace

void write_ipv4_ttl(std::uint8_t* l3, std::uint8_t ttl) {
  write_ipv4_word(l3, 8, static_cast<std::uint16_t>(ttl << 8 | l3[9]));
}

void set_nw_ttl(Packet& packet, FlowKey& key, std::uint8_t ttl) {
  std::uint8_t* const l3 = packet.data + packet.l3;
  if (is_ipv4(packet, key)) {
    write_ipv4_ttl(l3, ttl);
  } else if (is_ipv6(packet, key)) {
    write_ipv6_hop_limit(l3, ttl);
  } else {
    return;
  }
  *key.at(key_at::kTtl) = ttl;
}

Verdict dec_nw_ttl(Packet& packet, FlowKey& key) {
  if (!is_ipv4(packet, key) && !is_ipv6(packet, key)) return Verdict::kOk;
  const std::uint8_t ttl = *key.at(key_at::kTtl);
  if (ttl <= 1) return Verdict::kInvalidTtl;
  set_nw_ttl(packet, key, static_cast<std::uint8_t>(ttl - 1));
  return Verdict::kOk;
}

void set_traffic_class(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  std::uint8_t* const l3 = packet.data + packet.l3;
  const bool ipv4 = is_ipv4(packet, key);
  if (!ipv4 && !is_ipv6(packet, key)) return;
  set_field(key, field, value);
  const std::uint8_t traffic_class = *key.at(key_at::kIpDscp);
  if (ipv4) {
    write_ipv4_word(l3, 0, static_cast<std::uint16_t>(l3[0] << 8 | traffic_class));
  } else {
    store_be32(l3, (load_be32(l3) & 0xf00fffff) | static_cast<std::uint32_t>(traffic_class) << 20);
  }
}

void set_flow_label(Packet& packet, FlowKey& key, const std::uint8_t* value) {
  if (!is_ipv6(packet, key)) return;
  set_field(key, Field::kIpv6Flabel, value);
  std::uint8_t* const l3 = packet.data + packet.l3;
  store_be32(l3, (load_be32(l3) & ~0xfffffu) | key.be32(key_at::kIpv6Flabel));
}

void set_ip_address(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  const bool source = field == Field::kIpv4Src || field == Field::kIpv6Src;
  const bool ipv4 = field == Field::kIpv4Src || field == Field::kIpv4Dst;
  if (ipv4 ? !is_ipv4(packet, key) : !is_ipv6(packet, key)) return;
  std::uint8_t* const l3 = packet.data + packet.l3;
  if (ipv4) {
    std::uint8_t* const at = l3 + (source ? 12 : 16);
    store_be16(l3 + 10, updated_checksum(load_be16(l3 + 10), load_be32(at), load_be32(value)));
    pseudo_changes(packet, key, at, value, 4);
    std::memcpy(at, value, 4);
  } else {
    std::uint8_t* const at = l3 + (source ? 8 : 24);
    // With segments left the pseudo header has the final destination, out of the routing header (RFC 8200 8.1).
    const bool routed = !source && (key.be16(key_at::kIpv6Exthdr) & exthdr::kRouter) != 0 &&
                        walk_ipv6(packet.data, packet.l3, ipv6_end(packet)).routed;
    if (!routed) pseudo_changes(packet, key, at, value, 16);
    std::memcpy(at, value, 16);
  }
  set_field(key, field, value);
}

void set_ip_proto(Packet& packet, FlowKey& key, std::uint8_t proto) {
  const bool ipv4 = is_ipv4(packet, key);
  if (!ipv4 && !is_ipv6(packet, key)) return;
  const std::uint8_t from[2] = {0, proto_of(key)};
  const std::uint8_t to[2] = {0, proto};
  pseudo_changes(packet, key, from, to, 2);
  std::uint8_t* const l3 = packet.data + packet.l3;
  if (ipv4) {
    write_ipv4_word(l3, 8, static_cast<std::uint16_t>(l3[8] << 8 | proto));
  } else {
    packet.data[walk_ipv6(packet.data, packet.l3, ipv6_end(packet)).next_at] = proto;
  }
  parse(packet, key);
}

void set_l4_port(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  std::uint8_t proto = ip_proto::kTcp;
  if (field == Field::kUdpSrc || field == Field::kUdpDst) proto = ip_proto::kUdp;
  if (field == Field::kSctpSrc || field == Field::kSctpDst) proto = ip_proto::kSctp;
  if (packet.l4 == 0 || proto_of(key) != proto) return;
  const bool source = field == Field::kTcpSrc || field == Field::kUdpSrc || field == Field::kSctpSrc;
  const std::size_t at = source ? 0 : 2;
  if (proto == ip_proto::kSctp) {
    write_sctp_port(packet, key, at, value);
  } else {
    write_l4(packet, key, packet.data + packet.l4 + at, value, 2);
  }
  set_field(key, field, value);
}

void set_tcp_flags(Packet& packet, FlowKey& key, const std::uint8_t* value) {
  if (packet.l4 == 0 || proto_of(key) != ip_proto::kTcp) return;
  constexpr std::size_t kFlagsAt = 12;  // behind four bits of header length
  std::uint8_t* const at = packet.data + packet.l4 + kFlagsAt;
  std::uint8_t to[2];
  store_be16(to, static_cast<std::uint16_t>((load_be16(at) & 0xf000) | (load_be16(value) & 0x0fff)));
  write_l4(packet, key, at, to, 2);
  set_field(key, Field::kTcpFlags, value);
}

void set_icmp(Packet& packet, FlowKey& key, Field field, std::uint8_t value) {
  const bool v4 = field == Field::kIcmpv4Type || field == Field::kIcmpv4Code;
  if (packet.l4 == 0 || proto_of(key) != (v4 ? ip_proto::kIcmp : ip_proto::kIcmpv6)) return;
  const bool type = field == Field::kIcmpv4Type || field == Field::kIcmpv6Type;
  std::uint8_t* const icmp = packet.data + packet.l4;
  const std::uint8_t to[2] = {type ? value : icmp[0], type ? icmp[1] : value};
  write_l4(packet, key, icmp, to, 2);
  parse(packet, key);  // neighbour discovery has fields of its own
}

void set_neighbour(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  if (packet.l4 == 0 || proto_of(key) != ip_proto::kIcmpv6 || !is_ipv6(packet, key)) return;
  std::uint8_t* const icmp = packet.data + packet.l4;
  const std::size_t end = ipv6_end(packet);
  const bool solicitation = icmp[0] == kNeighbourSolicitation;
  const bool advertisement = icmp[0] == kNeighbourAdvertisement;
  if ((!solicitation && !advertisement) || icmp[1] != 0 || packet.l4 + kNdBytes > end) return;
  if (field == Field::kIpv6NdTarget) {
    write_l4(packet, key, icmp + kNdTargetAt, value, 16);
  } else if (field == Field::kIcmpv6NdReserved) {
    write_l4(packet, key, icmp + kNdReservedAt, value, 4);
  } else if (field == Field::kIcmpv6NdOptionsType) {
    std::uint8_t* const option = icmp + kNdBytes;
    if (packet.l4 + kNdBytes + 8 > end || option[1] != 1) return;
    const std::uint8_t to[2] = {value[0], option[1]};
    write_l4(packet, key, option, to, 2);
    parse(packet, key);  // an address may come or go with it
    return;
  } else {
    if (field == Field::kIpv6NdSll ? !solicitation : !advertisement) return;
    const std::uint8_t type = solicitation ? kNdSourceLink : kNdTargetLink;
    const std::size_t option = find_nd_option(packet.data, packet.l4, end, type);
    if (option == 0) return;
    write_l4(packet, key, packet.data + option, value, 6);
  }
  set_field(key, field, value);
}

}  // namespace xvif
