// Frames for tests, put together from readable parts:
//   macs() + tag(0x8100, 0x6064) + ipv4({.proto = 17}, udp(1000, 53, text("hello")))
// IP headers fill in lengths and checksums, also those of the L4 header given to them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packet/checksum.h"
#include "packet/crc32c.h"
#include "packet/flow_key.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "packet/parse.h"

namespace xvif::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Blanks are ignored.
inline Bytes hex(std::string_view digits) {
  Bytes out;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}
inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}
inline Bytes text(std::string_view s) { return Bytes(s.begin(), s.end()); }
inline Bytes filler(std::size_t bytes) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  return out;
}

inline Bytes be16(unsigned v) { return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)}; }
inline Bytes be32(std::uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }

inline Bytes macs() { return hex("020000000002 020000000001"); }
inline Bytes tag(unsigned type, unsigned tci) { return be16(type) + be16(tci); }
/// Label stack entry.
inline Bytes label(std::uint32_t label, unsigned tc, bool bottom, unsigned ttl) {
  return be32(label << 12 | tc << 9 | (bottom ? 1u << 8 : 0) | ttl);
}

struct Ipv4 {
  unsigned proto = 17;
  unsigned ttl = 64;
  unsigned tos = 0;
  unsigned fragment = 0;  // flags and offset
  Bytes options = {};
  Bytes source = hex("0a000001");
  Bytes dest = hex("0a000002");
};
struct Ipv6 {
  unsigned next = 17;  // of the IPv6 header; extension headers are part of the payload
  unsigned l4 = 17;    // what `payload` has at `l4_at`
  std::size_t l4_at = 0;
  unsigned limit = 64;
  std::uint32_t first = 0x60000000;  // version, traffic class, flow label
  Bytes source = hex("fd000000000000000000000000000001");
  Bytes dest = hex("fd000000000000000000000000000002");
};

inline void fill_l4(Bytes& packet, std::size_t l4, bool ipv6, unsigned proto) {
  const std::size_t length = packet.size() - l4;
  std::size_t at = 0;
  if (proto == 6) at = 16;
  if (proto == 17) at = 6;
  if (proto == 58 || proto == 1) at = 2;
  if (proto == 132 && length >= 12) {
    const std::uint32_t crc = crc32c(0, {packet.data() + l4, length});
    std::memcpy(packet.data() + l4 + 8, &crc, 4);
  }
  if (at == 0 || length < at + 2) return;
  InternetSum sum;
  if (proto != 1) {
    sum.add_number(
        pseudo_header_sum(packet.data(), ipv6, static_cast<std::uint8_t>(proto), static_cast<std::uint32_t>(length)));
  }
  sum.add({packet.data() + l4, length});
  const std::uint16_t checksum = sum.checksum() == 0 && proto == 17 ? 0xffff : sum.checksum();
  store_be16(packet.data() + l4 + at, checksum);
}

/// With the ethertype before.
inline Bytes ipv4(const Ipv4& ip, const Bytes& payload) {
  const std::size_t header = 20 + ip.options.size();
  Bytes out = Bytes{static_cast<std::uint8_t>(0x40 | header / 4), static_cast<std::uint8_t>(ip.tos)} +
              be16(static_cast<unsigned>(header + payload.size())) + be16(0x1234) + be16(ip.fragment) +
              Bytes{static_cast<std::uint8_t>(ip.ttl), static_cast<std::uint8_t>(ip.proto)} + be16(0) + ip.source +
              ip.dest + ip.options;
  store_be16(out.data() + 10, internet_checksum(out));
  out = out + payload;
  if ((ip.fragment & 0x3fff) == 0) fill_l4(out, header, false, ip.proto);
  return be16(0x0800) + out;
}
inline Bytes ipv6(const Ipv6& ip, const Bytes& payload) {
  Bytes out = be32(ip.first) + be16(static_cast<unsigned>(payload.size())) +
              Bytes{static_cast<std::uint8_t>(ip.next), static_cast<std::uint8_t>(ip.limit)} + ip.source + ip.dest +
              payload;
  fill_l4(out, 40 + ip.l4_at, true, ip.l4);
  return be16(0x86dd) + out;
}

inline Bytes udp(unsigned source, unsigned dest, const Bytes& payload) {
  return be16(source) + be16(dest) + be16(static_cast<unsigned>(8 + payload.size())) + be16(0) + payload;
}
inline Bytes tcp(unsigned source, unsigned dest, unsigned flags, const Bytes& payload, const Bytes& options = {}) {
  return be16(source) + be16(dest) + be32(0x01020304) + be32(0x0a0b0c0d) +
         be16(static_cast<unsigned>((20 + options.size()) / 4 << 12) | flags) + be16(0x2000) + be16(0) + be16(0) +
         options + payload;
}
inline Bytes sctp(unsigned source, unsigned dest, const Bytes& payload) {
  return be16(source) + be16(dest) + be32(0x11223344) + be32(0) + payload;
}
inline Bytes icmp(unsigned type, unsigned code, const Bytes& rest) {
  return Bytes{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code)} + be16(0) + rest;
}
inline Bytes arp(unsigned op) {
  return be16(0x0806) + hex("0001 0800 06 04") + be16(op) + hex("020000000001 0a000001 000000000000 0a000002");
}
/// Neighbour solicitation (135) or advertisement (136) with both options.
inline Bytes neighbour(unsigned type) {
  return icmp(
      type, 0,
      be32(0) + hex("fd0000000000000000000000000000aa") + hex("01 01 020000000011") + hex("02 01 020000000022"));
}

/// One frame of every kind that the parser knows.
struct NamedFrame {
  const char* name;
  Bytes bytes;
};
inline std::vector<NamedFrame> all_frames() {
  const Bytes data = text("0123456789abcdef0123456");
  return {
      {"udp", macs() + ipv4({.proto = 17}, udp(1000, 2000, data))},
      {"udp without checksum",
       [&] {
         Bytes f = macs() + ipv4({.proto = 17}, udp(1000, 2000, data));
         f[40] = f[41] = 0;
         return f;
       }()},
      {"tcp", macs() + ipv4({.proto = 6, .tos = 0xb9}, tcp(80, 4000, 0x112, data, hex("01010101")))},
      {"tcp in vlan", macs() + tag(0x8100, 0x7064) + ipv4({.proto = 6}, tcp(80, 4000, 0x010, data))},
      {"udp in two vlans", macs() + tag(0x88a8, 0x2005) + tag(0x8100, 0x4006) + ipv4({.proto = 17}, udp(1, 2, data))},
      {"ipv4 options", macs() + ipv4({.proto = 17, .options = hex("94040000 01010101")}, udp(1, 2, data))},
      {"first fragment", macs() + ipv4({.proto = 17, .fragment = 0x2000}, udp(1, 2, data))},
      {"later fragment", macs() + ipv4({.proto = 17, .fragment = 0x2003}, data)},
      {"icmp", macs() + ipv4({.proto = 1}, icmp(8, 0, be32(0x00010002) + data))},
      {"sctp", macs() + ipv4({.proto = 132}, sctp(5000, 6000, data))},
      {"gre", macs() + ipv4({.proto = 47}, data)},
      {"arp", macs() + arp(1)},
      {"arp in vlan", macs() + tag(0x8100, 0x0001) + arp(2)},
      {"udp6", macs() + ipv6({.next = 17, .l4 = 17, .first = 0x6b812345}, udp(1000, 2000, data))},
      {"tcp6", macs() + ipv6({.next = 6, .l4 = 6}, tcp(80, 4000, 0x018, data))},
      {"sctp6", macs() + ipv6({.next = 132, .l4 = 132}, sctp(5000, 6000, data))},
      {"icmp6", macs() + ipv6({.next = 58, .l4 = 58}, icmp(128, 0, be32(0x00010002) + data))},
      {"solicitation", macs() + ipv6({.next = 58, .l4 = 58, .limit = 255}, neighbour(135))},
      {"advertisement", macs() + tag(0x8100, 0x0005) + ipv6({.next = 58, .l4 = 58, .limit = 255}, neighbour(136))},
      {"tcp6 behind hop-by-hop and auth",
       macs() +
           ipv6({.next = 0, .l4 = 6, .l4_at = 24},
                hex("33 00 0104 00000000") + hex("06 02 0000 00000001 00000002 00000003") + tcp(80, 4000, 2, data))},
      {"udp6 behind destination options and routing",
       macs() + ipv6({.next = 60, .l4 = 17, .l4_at = 16},
                     hex("2b 00 0104 00000000") + hex("11 00 0000 00000000") + udp(1, 2, data))},
      {"first fragment6",
       macs() + ipv6({.next = 44, .l4 = 0, .l4_at = 8}, hex("11 00 0001 00000001") + udp(1, 2, data))},
      {"later fragment6", macs() + ipv6({.next = 44, .l4 = 0}, hex("11 00 0011 00000001") + data)},
      {"esp6", macs() + ipv6({.next = 50, .l4 = 0}, data)},
      {"no next header", macs() + ipv6({.next = 59, .l4 = 0}, data)},
      {"mpls", macs() + be16(0x8847) + label(100, 3, true, 32) +
                   [&] {
                     const Bytes ip = ipv4({.ttl = 9}, udp(1, 2, data));
                     return Bytes(ip.begin() + 2, ip.end());
                   }()},
      {"pbb", macs() + tag(0x88a8, 0x6007) + be16(0x88e7) + hex("e8000064") + macs() + tag(0x8100, 0x2007) +
                  ipv4({.ttl = 9}, udp(1, 2, data))},
      {"two labels in vlan", macs() + tag(0x8100, 0x2007) + be16(0x8848) + label(100, 3, false, 32) +
                                 label(200, 1, true, 31) +
                                 [&] {
                                   const Bytes ip = ipv6({}, udp(1, 2, data));
                                   return Bytes(ip.begin() + 2, ip.end());
                                 }()},
      {"snap", macs() + be16(8 + 51) + hex("aaaa03 000000") + ipv4({}, udp(1, 2, data))},
      {"llc", macs() + be16(46) + hex("424203") + filler(43)},
      {"unknown", macs() + be16(0x88cc) + filler(50)},
  };
}

/// A packet over memory of its own, to be parsed and no more.
inline Packet view(Bytes& bytes) {
  Packet packet{};
  packet.data = bytes.data();
  packet.linear = packet.size = static_cast<std::uint32_t>(bytes.size());
  return packet;
}

/// A packet of `pool` with these bytes, all linear.
inline Packet* packet_of(PacketPool& pool, std::span<const std::uint8_t> bytes) {
  Packet* packet = pool.take();
  std::memcpy(packet->data, bytes.data(), bytes.size());
  packet->linear = packet->size = static_cast<std::uint32_t>(bytes.size());
  return packet;
}
inline Bytes bytes_of(const Packet& packet) { return Bytes(packet.data, packet.data + packet.linear); }

/// What the key and the packet say, as text: fields that are not zero, then offsets.
inline std::string describe(const Packet& packet, const FlowKey& key) {
  std::string out;
  const auto put = [&](const char* name, const std::string& value) {
    if (value.find_first_not_of('0') == std::string::npos) return;
    out += (out.empty() ? "" : " ") + std::string(name) + "=" + value;
  };
  const bool ip = key.eth_type() == 0x0800 || key.eth_type() == 0x86dd;
  const std::uint8_t proto = *key.at(key_at::kIpProto);
  // Behind them stand what no parser fills.
  for (std::size_t i = 0; i < static_cast<std::size_t>(Field::kConjId); ++i) {
    const auto named_below = {Field::kNwTtl, Field::kIpFrag, Field::kTcpFlags};
    if (std::find(named_below.begin(), named_below.end(), static_cast<Field>(i)) != named_below.end()) continue;
    // Of the fields that share a place, the one whose prerequisites hold.
    bool holds = true;
    for (const Prerequisite& p : kPrerequisites) {
      if (static_cast<std::size_t>(p.of) != i || p.count == 0) continue;
      std::uint8_t value[16] = {};
      get_field(key, p.needs, value);
      const std::size_t width = field_bytes(p.needs);
      const unsigned number = width == 1 ? value[0] : load_be16(value);
      bool one = false;
      for (std::size_t v = 0; v < p.count; ++v) one = one || number == p.values[v];
      holds = holds && one;
    }
    if (!holds) continue;
    std::uint8_t value[16];
    get_field(key, static_cast<Field>(i), value);
    put(kFieldPlaces[i].name, to_hex({value, field_bytes(static_cast<Field>(i))}));
  }
  if (ip) put("ttl", to_hex({key.at(key_at::kTtl), 1}));
  put("frag", to_hex({key.at(key_at::kFrag), 1}));
  if (ip && proto == 6) put("tcp_flags", to_hex({key.at(key_at::kTcpFlags), 2}));
  const auto offset = [&](const char* name, unsigned value) {
    if (value != 0) out += std::string(" ") + name + "@" + std::to_string(value);
  };
  offset("mpls", packet.mpls);
  offset("l3", packet.l3);
  offset("l4", packet.l4);
  return out;
}

}  // namespace xvif::test
