#include "actions/modify_tag.h"

#include "actions/modify_ip.h"
#include "packet/gap.h"
#include "packet/headers.h"
#include "packet/parse.h"

namespace xvif {

namespace {

// Label stack entry (RFC 3032): label 20, traffic class 3, bottom of stack 1, TTL 8.
constexpr std::uint32_t kBottom = 1u << 8;
constexpr std::size_t kTtlAt = 3;
constexpr std::size_t kAddressesBytes = 12;

/// The length of an 802.3 frame counts what is pushed behind it.
void change_length(Packet& packet, const EthertypePlace& place, int by) {
  if (place.length == 0) return;
  std::uint8_t* const at = packet.data + place.length;
  store_be16(at, static_cast<std::uint16_t>(load_be16(at) + by));
}

/// The IP header behind the label stack entry at `entry`, if that is the bottom and the header linear.
std::uint8_t* ip_behind(Packet& packet, std::size_t entry) {
  const std::size_t at = entry + kMplsBytes;
  if (packet.linear < at + kIpv4Bytes) return nullptr;
  std::uint8_t* const ip = packet.data + at;
  if (ip[0] >> 4 == 4) return ip;
  return ip[0] >> 4 == 6 && packet.linear >= at + kIpv6Bytes ? ip : nullptr;
}

/// The TCI of the I-TAG; nullptr when the packet has none with the customer's Ethernet header behind it.
std::uint8_t* pbb_tci(Packet& packet, const FlowKey& key) {
  if (key.eth_type() != ethertype::kPbb) return nullptr;
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  if (packet.linear < place.next + kPbbTciBytes + kEthernetBytes) return nullptr;
  return packet.data + place.next;
}

struct TtlPair {
  std::uint8_t* outer = nullptr;  // in the outermost label stack entry
  std::uint8_t* inner = nullptr;  // in the next entry
  std::uint8_t* ip = nullptr;     // the header behind the only entry
};

TtlPair find_ttls(Packet& packet) {
  TtlPair pair;
  if (packet.mpls == 0) return pair;
  std::uint8_t* const entry = packet.data + packet.mpls;
  pair.outer = entry + kTtlAt;
  if ((load_be32(entry) & kBottom) != 0) {
    pair.ip = ip_behind(packet, packet.mpls);
  } else if (packet.linear >= packet.mpls + 2u * kMplsBytes) {
    pair.inner = entry + kMplsBytes + kTtlAt;
  }
  return pair;
}

}  // namespace

bool has_vlan_tag(const FlowKey& key) { return (key.be16(key_at::kVlanVid) & kVlanPresent) != 0; }

Verdict push_vlan(Packet& packet, FlowKey& key, std::uint16_t type) {
  if (packet.linear < kEthernetBytes || packet.bare) return Verdict::kOk;
  const std::uint16_t container = key.be16(key_at::kVlanVid);
  // VLAN id and priority of the tag that becomes the inner one; 0 when there is none.
  const auto tci = static_cast<std::uint16_t>(container & ~kVlanPresent);
  if (!open_gap(packet, kAddressesBytes, kVlanBytes)) return Verdict::kNoRoom;
  store_be16(packet.data + kAddressesBytes, type);
  store_be16(packet.data + kAddressesBytes + 2, tci);
  parse(packet, key);
  return Verdict::kOk;
}

void pop_vlan(Packet& packet, FlowKey& key) {
  if (!has_vlan_tag(key)) return;
  take_out(packet, kAddressesBytes, kVlanBytes);
  parse(packet, key);
}

Verdict push_mpls(Packet& packet, FlowKey& key, std::uint16_t type) {
  if (packet.linear < kEthernetBytes || packet.bare) return Verdict::kOk;
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  if (place.next == 0) return Verdict::kOk;
  std::uint32_t entry = kBottom;
  if (packet.mpls != 0) {
    entry = load_be32(packet.data + packet.mpls) & ~kBottom;
  } else if (key.eth_type() != ethertype::kArp) {
    entry |= *key.at(key_at::kTtl);  // 0 unless IP
  }
  if (!open_gap(packet, place.next, kMplsBytes)) return Verdict::kNoRoom;
  store_be16(packet.data + place.at, type);
  store_be32(packet.data + place.next, entry);
  change_length(packet, place, kMplsBytes);
  parse(packet, key);
  return Verdict::kOk;
}

void pop_mpls(Packet& packet, FlowKey& key, std::uint16_t type) {
  if (packet.mpls == 0 || packet.bare) return;
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  store_be16(packet.data + place.at, type);
  change_length(packet, place, -static_cast<int>(kMplsBytes));
  take_out(packet, place.next, kMplsBytes);
  parse(packet, key);
}

Verdict push_pbb(Packet& packet, FlowKey& key) {
  if (packet.linear < kEthernetBytes || packet.bare) return Verdict::kOk;
  const std::uint8_t* const outer = pbb_tci(packet, key);
  const std::uint32_t isid = outer == nullptr ? 0 : load_be32(outer) & 0xff'ffff;
  const std::uint32_t pcp = has_vlan_tag(key) ? key.be16(key_at::kVlanVid) >> 13 : 0u;
  if (!open_gap(packet, 0, kPbbBytes)) return Verdict::kNoRoom;
  std::memcpy(packet.data, packet.data + kPbbBytes, kAddressesBytes);
  store_be16(packet.data + kAddressesBytes, ethertype::kPbb);
  store_be32(packet.data + kEthernetBytes, pcp << 29 | isid);
  parse(packet, key);
  return Verdict::kOk;
}

void pop_pbb(Packet& packet, FlowKey& key) {
  const std::uint8_t* const tci = pbb_tci(packet, key);
  if (tci == nullptr || packet.bare) return;
  std::memcpy(packet.data, tci + kPbbTciBytes, kAddressesBytes);
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  change_length(packet, place, -static_cast<int>(kPbbBytes));
  take_out(packet, place.at, kPbbBytes);
  parse(packet, key);
}

void set_mpls_ttl(Packet& packet, std::uint8_t ttl) {
  if (packet.mpls != 0) packet.data[packet.mpls + kTtlAt] = ttl;
}

Verdict dec_mpls_ttl(Packet& packet) {
  if (packet.mpls == 0) return Verdict::kOk;
  std::uint8_t& ttl = packet.data[packet.mpls + kTtlAt];
  if (ttl <= 1) return Verdict::kInvalidTtl;
  --ttl;
  return Verdict::kOk;
}

void copy_ttl_out(Packet& packet) {
  const TtlPair pair = find_ttls(packet);
  if (pair.inner != nullptr) {
    *pair.outer = *pair.inner;
  } else if (pair.ip != nullptr) {
    *pair.outer = pair.ip[0] >> 4 == 4 ? pair.ip[8] : pair.ip[7];
  }
}

void copy_ttl_in(Packet& packet) {
  const TtlPair pair = find_ttls(packet);
  if (pair.inner != nullptr) {
    *pair.inner = *pair.outer;
  } else if (pair.ip != nullptr) {
    if (pair.ip[0] >> 4 == 4) {
      write_ipv4_ttl(pair.ip, *pair.outer);
    } else {
      write_ipv6_hop_limit(pair.ip, *pair.outer);
    }
  }
}

void set_vlan(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  if (!has_vlan_tag(key)) return;
  std::uint8_t* const at = packet.data + kAddressesBytes + 2;
  const std::uint16_t tci = load_be16(at);
  std::uint16_t changed;
  if (field == Field::kVlanVid) {
    changed = static_cast<std::uint16_t>((tci & 0xf000) | (load_be16(value) & 0x0fff));
  } else {
    changed = static_cast<std::uint16_t>((tci & 0x1fff) | value[0] << 13);
  }
  store_be16(at, changed);
  store_be16(key.at(key_at::kVlanVid), changed | kVlanPresent);
}

void set_mpls(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  if (packet.mpls == 0) return;
  set_field(key, field, value);
  std::uint8_t* const entry = packet.data + packet.mpls;
  store_be32(entry, key.be32(key_at::kMplsLabel) | entry[kTtlAt]);
}

void set_pbb(Packet& packet, FlowKey& key, Field field, const std::uint8_t* value) {
  std::uint8_t* const tci = pbb_tci(packet, key);
  if (tci == nullptr) return;
  set_field(key, field, value);
  constexpr std::uint32_t kPriority = 0xf000'0000;
  constexpr std::uint32_t kReserved = 0x0700'0000;
  store_be32(tci, key.be32(key_at::kPbbIsid) | (load_be32(tci) & (kPriority | kReserved)));
}

void set_eth_type(Packet& packet, FlowKey& key, const std::uint8_t* value) {
  if (packet.linear < kEthernetBytes || packet.bare) return;
  const EthertypePlace place = find_ethertype(packet.data, packet.linear);
  if (place.next == 0 || load_be16(value) < ethertype::kFirst) return;
  std::memcpy(packet.data + place.at, value, 2);
  parse(packet, key);
}

}  // namespace xvif
