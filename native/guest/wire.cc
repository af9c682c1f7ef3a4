#include "guest/wire.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "packet/checksum.h"

namespace xvif::guest {
namespace {

void append(Bytes& to, std::span<const std::uint8_t> bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

Bytes ethernet(const Mac& dest, const Mac& source, std::uint16_t type) {
  Bytes frame;
  append(frame, dest);
  append(frame, source);
  frame.resize(ether::kHeader);
  store_be16(&frame[12], type);
  return frame;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  IpAddress address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address = {};
  address.v6 = true;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

IpAddress IpAddress::from(const std::uint8_t* at, bool v6) {
  IpAddress address;
  address.v6 = v6;
  std::copy_n(at, v6 ? 16 : 4, address.bytes.begin());
  return address;
}

std::size_t IpAddress::Hash::operator()(const IpAddress& address) const {
  std::uint64_t words[2];
  std::memcpy(words, address.bytes.data(), sizeof words);
  return (words[0] * 0x9e3779b97f4a7c15u) ^ (words[1] * 0xd6e8feb86659fd93u) ^ address.v6;
}

IpAddress link_local(const Mac& mac) {
  IpAddress address{true, {0xfe, 0x80}};
  const std::uint8_t id[8] = {
      static_cast<std::uint8_t>(mac[0] ^ 2u), mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
  std::copy_n(id, 8, address.bytes.begin() + 8);
  return address;
}

IpAddress solicited_node(const IpAddress& address) {
  IpAddress group{true, {0xff, 0x02}};
  group.bytes[11] = 1;
  group.bytes[12] = 0xff;
  std::copy_n(address.bytes.begin() + 13, 3, group.bytes.begin() + 13);
  return group;
}

Mac multicast_mac(const IpAddress& address) {
  return {0x33, 0x33, address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]};
}

Bytes make_arp(std::uint16_t op, const Mac& source_mac, const IpAddress& source, const Mac& dest_mac,
               const Mac& target_mac, const IpAddress& target) {
  Bytes frame = ethernet(dest_mac, source_mac, ether::kArp);
  const std::uint8_t fixed[] = {0, 1, 8, 0, 6, 4, static_cast<std::uint8_t>(op >> 8), static_cast<std::uint8_t>(op)};
  append(frame, fixed);
  append(frame, source_mac);
  append(frame, source.span());
  append(frame, target_mac);
  append(frame, target.span());
  return frame;
}

Bytes make_ip(const Addresses& addresses, std::uint8_t protocol, std::uint8_t ttl, std::span<const std::uint8_t> l4,
              std::size_t csum_at, bool blank) {
  const bool v6 = addresses.source.v6;
  Bytes frame = ethernet(addresses.dest_mac, addresses.source_mac, v6 ? ether::kIpv6 : ether::kIpv4);
  const std::size_t header = v6 ? 40 : 20;
  frame.resize(ether::kHeader + header);
  std::uint8_t* l3 = &frame[ether::kHeader];
  std::uint8_t* at = l3 + (v6 ? 8 : 12);
  std::copy(addresses.source.span().begin(), addresses.source.span().end(), at);
  at += addresses.source.span().size();
  std::copy(addresses.dest.span().begin(), addresses.dest.span().end(), at);
  if (v6) {
    l3[0] = 0x60;
    store_be16(l3 + 4, static_cast<std::uint16_t>(l4.size()));
    l3[6] = protocol;
    l3[7] = ttl;
  } else {
    l3[0] = 0x45;
    store_be16(l3 + 2, static_cast<std::uint16_t>(header + l4.size()));
    l3[6] = 0x40;  // don't fragment
    l3[8] = ttl;
    l3[9] = protocol;
    store_be16(l3 + 10, internet_checksum({l3, header}));
  }
  append(frame, l4);
  l3 = &frame[ether::kHeader];
  std::uint8_t* field = l3 + header + csum_at;
  std::uint16_t pseudo = 0;
  if (protocol != proto::kIcmp) pseudo = pseudo_header_sum(l3, v6, protocol, static_cast<std::uint32_t>(l4.size()));
  store_be16(field, pseudo);
  if (!blank) {
    const std::uint16_t sum = internet_checksum({l3 + header, l4.size()});
    store_be16(field, sum == 0 && protocol == proto::kUdp ? 0xffff : sum);
  }
  return frame;
}

Bytes make_udp(const Addresses& addresses, std::uint16_t source_port, std::uint16_t dest_port,
               std::span<const std::uint8_t> payload, bool blank) {
  Bytes l4(8);
  store_be16(&l4[0], source_port);
  store_be16(&l4[2], dest_port);
  store_be16(&l4[4], static_cast<std::uint16_t>(8 + payload.size()));
  append(l4, payload);
  return make_ip(addresses, proto::kUdp, 64, l4, 6, blank);
}

Bytes make_echo(const Addresses& addresses, bool request, std::uint16_t id, std::uint16_t sequence,
                std::span<const std::uint8_t> payload) {
  Bytes l4(8);
  if (addresses.source.v6) {
    l4[0] = request ? 128 : 129;
  } else {
    l4[0] = request ? 8 : 0;
  }
  store_be16(&l4[4], id);
  store_be16(&l4[6], sequence);
  append(l4, payload);
  return make_ip(addresses, addresses.source.v6 ? proto::kIcmpv6 : proto::kIcmp, 64, l4, 2);
}

Bytes make_neighbour_solicitation(const Mac& source_mac, const IpAddress& source, const IpAddress& target) {
  const IpAddress group = solicited_node(target);
  Bytes l4(24);
  l4[0] = 135;
  std::copy_n(target.bytes.begin(), 16, &l4[8]);
  const std::uint8_t option[] = {1, 1};  // source link-layer address, 8 bytes
  append(l4, option);
  append(l4, source_mac);
  return make_ip({source_mac, multicast_mac(group), source, group}, proto::kIcmpv6, 255, l4, 2);
}

Bytes make_neighbour_advertisement(const Addresses& addresses, bool solicited) {
  Bytes l4(24);
  l4[0] = 136;
  l4[4] = solicited ? 0x60 : 0x20;  // solicited, override
  std::copy_n(addresses.source.bytes.begin(), 16, &l4[8]);
  const std::uint8_t option[] = {2, 1};  // target link-layer address
  append(l4, option);
  append(l4, addresses.source_mac);
  return make_ip(addresses, proto::kIcmpv6, 255, l4, 2);
}

}  // namespace xvif::guest
