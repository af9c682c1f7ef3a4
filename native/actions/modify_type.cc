#include "actions/modify_type.h"

#include "packet/gap.h"
#include "packet/headers.h"
#include "packet/nsh.h"
#include "packet/parse.h"

namespace xvif {

namespace {

constexpr std::size_t kTypeAt = 12;
constexpr std::size_t kAddressesBytes = 12;

// Label stack entry (RFC 3032): label 20, traffic class 3, bottom of stack 1, TTL 8.
constexpr std::uint32_t kBottom = 1u << 8;
constexpr unsigned kLabelShift = 12;
constexpr unsigned kClassShift = 9;
constexpr std::uint32_t kIpv6ExplicitNull = 2;
constexpr std::uint32_t kTtlDefault = 64;

/// Room for a header in front of the packet, or behind the Ethernet header that it does not have; the offset of it is
/// kEthernetBytes, and the packet is bare. False: there is none.
bool open(Packet& packet, std::uint16_t type, std::uint16_t bytes) {
  if (packet.bare) {
    if (!open_gap(packet, kEthernetBytes, bytes)) return false;
  } else {
    if (!open_gap(packet, 0, static_cast<std::uint16_t>(kEthernetBytes + bytes))) return false;
    std::memset(packet.data, 0, kAddressesBytes);
    packet.bare = true;
  }
  store_be16(packet.data + kTypeAt, type);
  return true;
}

/// The header behind the Ethernet header that is none goes, and what follows is of this ethertype.
void close(Packet& packet, std::uint16_t type, std::uint16_t bytes) {
  close_gap(packet, kEthernetBytes, bytes);
  store_be16(packet.data + kTypeAt, type);
}

/// The same, and what follows is a frame. False: it is too short for one.
bool close_to_frame(Packet& packet, std::uint16_t bytes) {
  const auto gone = static_cast<std::uint16_t>(kEthernetBytes + bytes);
  if (packet.linear < gone + kEthernetBytes) return false;
  close_gap(packet, 0, gone);
  packet.bare = false;
  return true;
}

Verdict encap_ethernet(Packet& packet, FlowKey& key) {
  if (!packet.bare) return Verdict::kPacketType;
  packet.bare = false;
  parse(packet, key);
  return Verdict::kOk;
}

Verdict encap_nsh(Packet& packet, FlowKey& key, const ActionView& action) {
  const std::uint8_t next = packet.bare ? nsh::next_of(key.eth_type()) : nsh::kNextEthernet;
  if (next == 0) return Verdict::kPacketType;
  const bool type2 = action.md_type() == nsh::kMdType2;
  const auto context = action.context();
  const auto bytes = static_cast<std::uint16_t>(type2 ? nsh::kHeadBytes + context.size() : nsh::kType1Bytes);
  if (!open(packet, ethertype::kNsh, bytes)) return Verdict::kNoRoom;
  std::uint8_t* const header = packet.data + kEthernetBytes;
  std::memset(header, 0, bytes);
  store_be16(header, static_cast<std::uint16_t>(nsh::kTtlMax << nsh::kTtlShift | bytes / 4));
  header[nsh::kMdTypeAt] = type2 ? nsh::kMdType2 : nsh::kMdType1;
  header[nsh::kNextAt] = next;
  header[nsh::kIndexAt] = nsh::kIndexMax;
  if (type2 && !context.empty()) std::memcpy(header + nsh::kContextAt, context.data(), context.size());
  parse(packet, key);
  return Verdict::kOk;
}

/// As Open vSwitch: of IP the traffic class and TTL, and the label that means IP (RFC 3032 section 2.1).
std::uint32_t first_entry(const FlowKey& key) {
  const std::uint16_t type = key.eth_type();
  const bool ip = type == ethertype::kIpv4 || type == ethertype::kIpv6;
  const std::uint32_t label = type == ethertype::kIpv6 ? kIpv6ExplicitNull : 0;
  const std::uint32_t traffic_class = ip ? *key.at(key_at::kIpDscp) >> 2 & 7u : 0u;
  const std::uint32_t ttl = ip ? *key.at(key_at::kTtl) : 0u;
  return label << kLabelShift | traffic_class << kClassShift | kBottom | (ttl == 0 ? kTtlDefault : ttl);
}

Verdict encap_mpls(Packet& packet, FlowKey& key, std::uint16_t type) {
  const bool stacked = packet.bare && packet.mpls != 0;
  const std::uint32_t entry = stacked ? load_be32(packet.data + packet.mpls) & ~kBottom : first_entry(key);
  if (!open(packet, type, kMplsBytes)) return Verdict::kNoRoom;
  store_be32(packet.data + kEthernetBytes, entry);
  parse(packet, key);
  return Verdict::kOk;
}

Verdict decap_ethernet(Packet& packet, FlowKey& key) {
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  const bool plain = place.at == kTypeAt && place.length == 0 && !ethertype::is_vlan(place.type);
  if (!plain) return Verdict::kPacketType;
  std::memset(packet.data, 0, kAddressesBytes);
  packet.bare = true;
  parse(packet, key);
  return Verdict::kOk;
}

/// So many bytes behind a service header are in the buffer, where a packet goes on in its payload: else a long header
/// would hide the inner ones from the tables.
constexpr std::uint32_t kSeenBytes = 128;

Verdict decap_nsh(Packet& packet, FlowKey& key) {
  const std::uint16_t bytes = nsh::header_bytes(packet.data, kEthernetBytes, packet.linear);
  if (bytes == 0) return Verdict::kPacketType;
  if (packet.payload != nullptr && packet.linear < bytes + kSeenBytes) return Verdict::kPacketType;
  const std::uint8_t next = packet.data[kEthernetBytes + nsh::kNextAt];
  if (next == nsh::kNextEthernet) {
    if (!close_to_frame(packet, bytes)) return Verdict::kPacketType;
  } else {
    const std::uint16_t type = nsh::ethertype_of(next);
    if (type == 0) return Verdict::kPacketType;
    close(packet, type, bytes);
  }
  parse(packet, key);
  return Verdict::kOk;
}

/// What a label stack carries is not said in it: only whoever takes off the last label knows.
Verdict decap_mpls(Packet& packet, FlowKey& key, std::uint32_t wanted) {
  if (packet.mpls == 0) return Verdict::kPacketType;
  const bool last = (load_be32(packet.data + packet.mpls) & kBottom) != 0;
  const auto type = static_cast<std::uint16_t>(wanted);
  if (!last) {
    close(packet, key.eth_type(), kMplsBytes);
  } else if (wanted == packet_type::kEthernet) {
    if (!close_to_frame(packet, kMplsBytes)) return Verdict::kPacketType;
  } else if (wanted == packet_type::of(type) && type >= ethertype::kFirst && !ethertype::is_vlan(type)) {
    close(packet, type, kMplsBytes);
  } else {
    return Verdict::kPacketType;
  }
  parse(packet, key);
  return Verdict::kOk;
}

/// nullptr: the packet has no service header.
std::uint8_t* find_nsh(Packet& packet, const FlowKey& key) {
  if (key.eth_type() != ethertype::kNsh) return nullptr;
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  return nsh::header_bytes(packet.data, place.next, packet.linear) == 0 ? nullptr : packet.data + place.next;
}

/// Bits of the first 16.
void set_first(std::uint8_t* header, unsigned shift, unsigned bits, std::uint8_t value) {
  const unsigned others = load_be16(header) & ~(bits << shift);
  store_be16(header, static_cast<std::uint16_t>(others | (value & bits) << shift));
}

}  // namespace

Verdict encap(Packet& packet, FlowKey& key, const ActionView& action) {
  if (packet.linear < kEthernetBytes) return Verdict::kPacketType;
  const std::uint32_t type = action.packet_type();
  if (type == packet_type::kEthernet) return encap_ethernet(packet, key);
  if (type == packet_type::of(ethertype::kNsh)) return encap_nsh(packet, key, action);
  return encap_mpls(packet, key, static_cast<std::uint16_t>(type));
}

Verdict decap(Packet& packet, FlowKey& key, std::uint32_t wanted) {
  if (packet.linear < kEthernetBytes) return Verdict::kPacketType;
  if (!packet.bare) return decap_ethernet(packet, key);
  if (key.eth_type() == ethertype::kNsh) return decap_nsh(packet, key);
  return ethertype::is_mpls(key.eth_type()) ? decap_mpls(packet, key, wanted) : Verdict::kPacketType;
}

Verdict dec_nsh_ttl(Packet& packet, FlowKey& key) {
  std::uint8_t* const header = find_nsh(packet, key);
  if (header == nullptr) return Verdict::kOk;
  const unsigned ttl = load_be16(header) >> nsh::kTtlShift & nsh::kTtlBits;
  if (ttl <= 1) return Verdict::kInvalidTtl;
  const auto less = static_cast<std::uint8_t>(ttl - 1);
  set_nsh(packet, key, Field::kNshTtl, &less);
  return Verdict::kOk;
}

void set_nsh(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  std::uint8_t* const header = find_nsh(packet, key);
  if (header == nullptr) return;
  switch (field) {
    case Field::kNshFlags:
      set_first(header, nsh::kFlagsShift, nsh::kFlagsBits, value[0]);
      break;
    case Field::kNshTtl:
      set_first(header, nsh::kTtlShift, nsh::kTtlBits, value[0]);
      break;
    case Field::kNshSpi:
      std::memcpy(header + nsh::kPathAt, value, 3);
      break;
    case Field::kNshSi:
      header[nsh::kIndexAt] = value[0];
      break;
    case Field::kNshC1:
    case Field::kNshC2:
    case Field::kNshC3:
    case Field::kNshC4: {
      if ((header[nsh::kMdTypeAt] & 15) != nsh::kMdType1) return;
      const auto index = static_cast<std::size_t>(field) - static_cast<std::size_t>(Field::kNshC1);
      std::memcpy(header + nsh::kContextAt + 4 * index, value, 4);
      break;
    }
    default:
      return;
  }
  parse(packet, key);
}

}  // namespace xvif
