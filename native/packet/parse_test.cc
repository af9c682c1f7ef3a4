#include "packet/parse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "packet/test_frames.h"

namespace xvif::test {
namespace {

constexpr const char* kMacs = "eth_dst=020000000002 eth_src=020000000001 ";

std::string parsed(Bytes bytes) {
  Packet packet = view(bytes);
  FlowKey key;
  key.words.fill(0xa5a5a5a5a5a5a5a5u);  // whatever an earlier packet left
  std::memset(key.at(key_at::kInPort), 0, 4);
  std::memset(key.at(key_at::kMetadata), 0, 16);
  std::memset(key.at(key_at::kInPhyPort), 0, 4);
  parse(packet, key);
  return describe(packet, key);
}

TEST(Parse, fields_of_every_kind_of_frame) {
  const std::pair<const char*, const char*> expected[] = {
      {"udp",
       "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=03e8 udp_dst=07d0 ttl=40 l3@14 l4@34"},
      {"udp without checksum",
       "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=03e8 udp_dst=07d0 ttl=40 l3@14 l4@34"},
      {"tcp",
       "eth_type=0800 ip_dscp=2e ip_ecn=01 ip_proto=06 ipv4_src=0a000001 ipv4_dst=0a000002 tcp_src=0050 tcp_dst=0fa0 "
       "ttl=40 tcp_flags=0112 l3@14 l4@34"},
      {"tcp in vlan",
       "eth_type=0800 vlan_vid=1064 vlan_pcp=03 ip_proto=06 ipv4_src=0a000001 ipv4_dst=0a000002 tcp_src=0050 "
       "tcp_dst=0fa0 ttl=40 tcp_flags=0010 l3@18 l4@38"},
      {"udp in two vlans",
       "eth_type=0800 vlan_vid=1005 vlan_pcp=01 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=0001 "
       "udp_dst=0002 ttl=40 l3@22 l4@42"},
      {"ipv4 options",
       "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=0001 udp_dst=0002 ttl=40 l3@14 l4@42"},
      {"first fragment",
       "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=0001 udp_dst=0002 ttl=40 frag=01 l3@14 "
       "l4@34"},
      {"later fragment", "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 ttl=40 frag=03 l3@14"},
      {"icmp", "eth_type=0800 ip_proto=01 ipv4_src=0a000001 ipv4_dst=0a000002 icmpv4_type=08 ttl=40 l3@14 l4@34"},
      {"sctp",
       "eth_type=0800 ip_proto=84 ipv4_src=0a000001 ipv4_dst=0a000002 sctp_src=1388 sctp_dst=1770 ttl=40 l3@14 l4@34"},
      {"gre", "eth_type=0800 ip_proto=2f ipv4_src=0a000001 ipv4_dst=0a000002 ttl=40 l3@14"},
      {"arp", "eth_type=0806 arp_op=0001 arp_spa=0a000001 arp_tpa=0a000002 arp_sha=020000000001 l3@14"},
      {"arp in vlan",
       "eth_type=0806 vlan_vid=1001 arp_op=0002 arp_spa=0a000001 arp_tpa=0a000002 arp_sha=020000000001 l3@18"},
      {"udp6",
       "eth_type=86dd ip_dscp=2e ip_proto=11 udp_src=03e8 udp_dst=07d0 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_flabel=012345 ttl=40 l3@14 l4@54"},
      {"solicitation",
       "eth_type=86dd ip_proto=3a ipv6_src=fd000000000000000000000000000001 ipv6_dst=fd000000000000000000000000000002 "
       "icmpv6_type=87 ipv6_nd_target=fd0000000000000000000000000000aa ipv6_nd_sll=020000000011 ttl=ff l3@14 l4@54"},
      {"advertisement",
       "eth_type=86dd vlan_vid=1005 ip_proto=3a ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 icmpv6_type=88 ipv6_nd_target=fd0000000000000000000000000000aa "
       "ipv6_nd_tll=020000000022 ttl=ff l3@18 l4@58"},
      {"tcp6 behind hop-by-hop and auth",
       "eth_type=86dd ip_proto=06 tcp_src=0050 tcp_dst=0fa0 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0044 ttl=40 tcp_flags=0002 l3@14 l4@78"},
      {"udp6 behind destination options and routing",
       "eth_type=86dd ip_proto=11 udp_src=0001 udp_dst=0002 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0028 ttl=40 l3@14 l4@70"},
      {"first fragment6",
       "eth_type=86dd ip_proto=11 udp_src=0001 udp_dst=0002 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0010 ttl=40 frag=01 l3@14 l4@62"},
      {"later fragment6",
       "eth_type=86dd ip_proto=11 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0010 ttl=40 frag=03 l3@14"},
      {"esp6",
       "eth_type=86dd ip_proto=32 ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0002 ttl=40 l3@14"},
      {"no next header",
       "eth_type=86dd ip_proto=3b ipv6_src=fd000000000000000000000000000001 "
       "ipv6_dst=fd000000000000000000000000000002 ipv6_exthdr=0001 ttl=40 l3@14"},
      {"mpls", "eth_type=8847 mpls_label=000064 mpls_tc=03 mpls_bos=01 mpls@14"},
      {"two labels in vlan", "eth_type=8848 vlan_vid=1007 vlan_pcp=01 mpls_label=000064 mpls_tc=03 mpls@18"},
      {"snap",
       "eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 udp_src=0001 udp_dst=0002 ttl=40 l3@22 l4@42"},
      {"llc", "eth_type=05ff"},
      {"unknown", "eth_type=88cc"},
  };
  const auto frames = all_frames();
  for (const auto& [wanted, fields] : expected) {
    const std::string name = wanted;
    const auto frame = std::find_if(frames.begin(), frames.end(), [&](const auto& f) { return f.name == name; });
    ASSERT_NE(frame, frames.end()) << name;
    EXPECT_EQ(parsed(frame->bytes), kMacs + std::string(fields)) << name;
  }
}

std::string exthdr_bits(unsigned next, const Bytes& headers) {
  Bytes frame = macs() + ipv6({.next = next, .l4 = 0}, headers);
  Packet packet = view(frame);
  FlowKey key{};
  parse(packet, key);
  return to_hex({key.at(key_at::kIpv6Exthdr), 2});
}

TEST(Parse, ipv6_exthdr_of13_table_15) {
  const auto opt = [](unsigned next) { return Bytes{static_cast<std::uint8_t>(next), 0, 1, 4, 0, 0, 0, 0}; };
  const auto auth = [](unsigned next) { return Bytes{static_cast<std::uint8_t>(next), 1} + Bytes(10, 0); };
  const auto fragment = [](unsigned next) { return Bytes{static_cast<std::uint8_t>(next), 0, 0, 0, 0, 0, 0, 1}; };
  EXPECT_EQ(exthdr_bits(17, {}), "0000");
  EXPECT_EQ(exthdr_bits(59, {}), "0001");
  EXPECT_EQ(exthdr_bits(50, {}), "0002");
  EXPECT_EQ(exthdr_bits(51, auth(17)), "0004");
  EXPECT_EQ(exthdr_bits(60, opt(17)), "0008");
  EXPECT_EQ(exthdr_bits(44, fragment(17)), "0010");
  EXPECT_EQ(exthdr_bits(43, opt(17)), "0020");
  EXPECT_EQ(exthdr_bits(0, opt(17)), "0040");
  // Recommended order, with destination options in both of their places.
  EXPECT_EQ(exthdr_bits(0, opt(60) + opt(43) + opt(44) + fragment(51) + auth(60) + opt(17)), "007c");
  EXPECT_EQ(exthdr_bits(51, auth(50)), "0006");
  // A repeat: UNREP. Destination options may come twice, not three times.
  EXPECT_EQ(exthdr_bits(0, opt(0) + opt(17)), "00c0");
  EXPECT_EQ(exthdr_bits(43, opt(43) + opt(17)), "00a0");
  EXPECT_EQ(exthdr_bits(60, opt(60) + opt(17)), "0008");
  EXPECT_EQ(exthdr_bits(60, opt(60) + opt(60) + opt(17)), "0088");
  // Out of order: UNSEQ.
  EXPECT_EQ(exthdr_bits(51, auth(43) + opt(17)), "0124");
  EXPECT_EQ(exthdr_bits(60, opt(0) + opt(17)), "0148");
  EXPECT_EQ(exthdr_bits(44, fragment(43) + opt(17)), "0130");
  // A header that is cut is absent.
  EXPECT_EQ(exthdr_bits(0, hex("11 01 0000 00000000")), "0000");
}

TEST(Parse, malformed_headers_are_absent) {
  const Bytes udp_frame = macs() + ipv4({}, udp(1, 2, text("0123456789abcdefghij")));
  const std::string no_l3 = kMacs + std::string("eth_type=0800");
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes frame = udp_frame;
    frame[at] = value;
    return parsed(frame);
  };
  EXPECT_EQ(with(14, 0x55), no_l3) << "version";
  EXPECT_EQ(with(14, 0x44), no_l3) << "header length";
  EXPECT_EQ(with(14, 0x4f), no_l3) << "options beyond the total length";
  EXPECT_EQ(with(17, 19), no_l3) << "total length";
  const std::string no_l4 =
      kMacs + std::string("eth_type=0800 ip_proto=11 ipv4_src=0a000001 ipv4_dst=0a000002 ttl=40 l3@14");
  EXPECT_EQ(with(17, 27), no_l4) << "UDP header would lie in padding";
  Bytes arp_frame = macs() + arp(1);
  arp_frame[18] = 8;  // hardware address length
  EXPECT_EQ(parsed(arp_frame), kMacs + std::string("eth_type=0806"));
  EXPECT_EQ(parsed(macs() + hex("8100 00")), kMacs + std::string("eth_type=8100"));
}

TEST(Parse, neighbour_options_are_bounded) {
  Bytes frame = macs() + ipv6({.next = 58, .l4 = 58}, neighbour(135));
  frame[14 + 40 + 24 + 1] = 0;  // length 0 would never end
  EXPECT_EQ(parsed(frame).find("ipv6_nd_sll"), std::string::npos);
  frame[14 + 40 + 24 + 1] = 40;  // beyond the packet
  EXPECT_EQ(parsed(frame).find("ipv6_nd_sll"), std::string::npos);
}

TEST(Parse, keeps_what_is_not_in_the_packet) {
  for (const auto& [name, bytes] : all_frames()) {
    Bytes copy = bytes;
    Packet packet = view(copy);
    FlowKey key{};
    store_be32(key.at(key_at::kInPort), 7);
    store_be32(key.at(key_at::kInPhyPort), 8);
    store_be64(key.at(key_at::kMetadata), 9);
    store_be64(key.at(key_at::kTunnelId), 10);
    store_be32(key.at(key_at::kReg + 60), 11);
    parse(packet, key);
    EXPECT_EQ(key.be32(key_at::kInPort), 7u) << name;
    EXPECT_EQ(key.be32(key_at::kInPhyPort), 8u) << name;
    EXPECT_EQ(key.be64(key_at::kMetadata), 9u) << name;
    EXPECT_EQ(key.be64(key_at::kTunnelId), 10u) << name;
    EXPECT_EQ(key.be32(key_at::kReg + 60), 11u) << name;
  }
}

TEST(Parse, the_fast_path_agrees_with_the_general_one) {
  for (const auto& [name, bytes] : all_frames()) {
    Bytes plain = bytes;
    Bytes tagged = Bytes(bytes.begin(), bytes.begin() + 12) + tag(0x8100, 5) + Bytes(bytes.begin() + 12, bytes.end());
    Packet a = view(plain);
    Packet b = view(tagged);
    FlowKey key_a{};
    FlowKey key_b{};
    parse(a, key_a);
    parse(b, key_b);
    std::memset(key_a.at(key_at::kVlanVid), 0, 2);
    std::memset(key_b.at(key_at::kVlanVid), 0, 2);
    EXPECT_EQ(key_a, key_b) << name;
    EXPECT_EQ(a.l4 == 0 ? 0 : a.l4 + 4, b.l4) << name;
  }
}

TEST(Parse, truncation_at_every_byte_reads_nothing_beyond) {
  for (const auto& [name, bytes] : all_frames()) {
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
      // Memory of exactly n bytes, so that AddressSanitizer sees a byte too many.
      const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[n]);
      if (n != 0) std::memcpy(exact.get(), bytes.data(), n);
      Packet packet{};
      packet.data = exact.get();
      packet.linear = static_cast<std::uint32_t>(n);
      packet.size = static_cast<std::uint32_t>(bytes.size());
      FlowKey key{};
      parse(packet, key);
      EXPECT_LT(packet.mpls, n + 1) << name;
      EXPECT_LT(packet.l3, n + 1) << name;
      EXPECT_LT(packet.l4, n + 1) << name;
    }
  }
}

TEST(FlowKey, every_field_comes_back_and_leaves_the_others) {
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto field = static_cast<Field>(i);
    const std::size_t width = field_bytes(field);
    std::uint8_t ones[16];
    std::memset(ones, 0xff, sizeof ones);
    if (const unsigned top = kFieldPlaces[i].bits % 8; top != 0) ones[0] = static_cast<std::uint8_t>((1u << top) - 1);
    FlowKey key{};
    set_field(key, field, ones);
    std::uint8_t back[16] = {};
    get_field(key, field, back);
    EXPECT_EQ(to_hex({back, width}), to_hex({ones, width})) << kFieldPlaces[i].name;
    int bits = 0;
    for (const std::uint64_t word : key.words) bits += std::popcount(word);
    EXPECT_EQ(bits, kFieldPlaces[i].bits) << kFieldPlaces[i].name;
    const std::uint8_t zeros[16] = {};
    key.words.fill(~std::uint64_t{0});
    set_field(key, field, zeros);
    bits = 0;
    for (const std::uint64_t word : key.words) bits += std::popcount(~word);
    EXPECT_EQ(bits, kFieldPlaces[i].bits) << kFieldPlaces[i].name;
  }
}

}  // namespace
}  // namespace xvif::test
