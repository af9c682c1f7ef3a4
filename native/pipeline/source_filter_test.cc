#include "pipeline/source_filter.h"

#include <gtest/gtest.h>

#include "packet/test_frames.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using test::arp;
using test::be16;
using test::be32;
using test::Bytes;
using test::filler;
using test::hex;
using test::icmp;
using test::ipv4;
using test::ipv6;
using test::macs;
using test::tag;
using test::udp;
using test::operator+;

const Bytes kOwn = hex("fd0000000000000000000000000000aa");
const Bytes kOwnLinkLocal = hex("fe80000000000000 0000 00ff fe00 0001");  // of 02:00:00:00:00:01
const Bytes kOther = hex("fd0000000000000000000000000000bb");
const Bytes kUnspecified(16, 0);
const Bytes kOwnLink = hex("01 01 020000000001");
const Bytes kOtherLink = hex("01 01 020000000099");

/// The port of 02:00:00:00:00:01, which test frames have as source.
SourceGuard guard(bool ipv4, bool ipv6) {
  SourceGuard out{.mac = {2, 0, 0, 0, 0, 1}, .ipv4 = std::nullopt, .ipv6 = std::nullopt};
  if (ipv4) out.ipv4 = {{{10, 0, 0, 9}, {10, 0, 0, 1}}};
  if (ipv6) {
    out.ipv6.emplace(1);
    std::copy(kOwn.begin(), kOwn.end(), out.ipv6->front().begin());
  }
  return out;
}

bool admits(const SourceGuard& guard, Bytes frame) {
  Packet packet = test::view(frame);
  FlowKey key{};
  parse(packet, key);
  return SourceFilter(guard).admits(packet, key);
}
bool locked(const Bytes& after_macs) { return admits(guard(true, true), macs() + after_macs); }
bool mac_only(const Bytes& after_macs) { return admits(guard(false, false), macs() + after_macs); }

Bytes icmpv6_from(const Bytes& source, const Bytes& message) {
  return ipv6({.next = 58, .l4 = 58, .source = source}, message);
}
Bytes solicitation(const Bytes& target, const Bytes& options = {}) { return icmp(135, 0, be32(0) + target + options); }
Bytes advertisement(const Bytes& target, const Bytes& options = {}) { return icmp(136, 0, be32(0) + target + options); }
Bytes arp_of(unsigned op, std::string_view mac, std::string_view address) {
  return be16(0x0806) + hex("0001 0800 06 04") + be16(op) + hex(mac) + hex(address) + hex("000000000000 0a000002");
}

TEST(SourceFilterTest, OnlyTheOwnMac) {
  EXPECT_TRUE(locked(ipv4({}, udp(1, 2, {}))));
  EXPECT_FALSE(admits(guard(true, true), hex("020000000002 020000000099") + ipv4({}, udp(1, 2, {}))));
  EXPECT_FALSE(admits(guard(false, false), hex("020000000002 020000000099") + ipv4({}, udp(1, 2, {}))));
  EXPECT_FALSE(admits(guard(false, false), hex("0200")));
}

TEST(SourceFilterTest, NothingToTheAddressesOfBridges) {
  for (const char* to : {"0180c2000000", "0180c200000e", "0180c2000002"}) {
    EXPECT_FALSE(admits(guard(false, false), hex(to) + hex("020000000001") + be16(0x88cc) + filler(46))) << to;
  }
  EXPECT_TRUE(admits(guard(false, false), hex("0180c2000010 020000000001") + be16(0x88cc) + filler(46)));
}

TEST(SourceFilterTest, Ipv4Sources) {
  EXPECT_TRUE(locked(ipv4({.source = hex("0a000009")}, udp(1, 2, {}))));
  EXPECT_FALSE(locked(ipv4({.source = hex("0a000003")}, udp(1, 2, {}))));
  EXPECT_FALSE(locked(ipv4({.fragment = 0x0010, .source = hex("0a000003")}, filler(16))));
  EXPECT_TRUE(locked(ipv4({.fragment = 0x0010}, filler(16))));
  EXPECT_FALSE(locked(be16(0x0800) + hex("4300")));
  EXPECT_TRUE(admits(guard(false, true), macs() + ipv4({.source = hex("0a000003")}, udp(1, 2, {}))));
  SourceGuard none = guard(true, true);
  none.ipv4->clear();
  EXPECT_FALSE(admits(none, macs() + ipv4({}, udp(1, 2, {}))));
}

TEST(SourceFilterTest, DhcpBeforeThereIsAnAddress) {
  const Bytes zero(4, 0);
  EXPECT_TRUE(locked(ipv4({.source = zero}, udp(68, 67, filler(200)))));
  EXPECT_FALSE(locked(ipv4({.source = zero}, udp(67, 68, filler(200)))));
  EXPECT_FALSE(locked(ipv4({.source = zero}, udp(1068, 67, filler(200)))));
  EXPECT_FALSE(locked(ipv4({.fragment = 0x2000, .source = zero}, udp(68, 67, filler(200)))));
  EXPECT_FALSE(locked(ipv4({.proto = 6, .source = zero}, test::tcp(68, 67, 2, {}))));
}

TEST(SourceFilterTest, ArpClaimsNobodyElse) {
  EXPECT_TRUE(locked(arp(1)));
  EXPECT_TRUE(locked(arp(2)));
  EXPECT_FALSE(locked(arp_of(2, "020000000099", "0a000001")));
  EXPECT_FALSE(locked(arp_of(1, "020000000001", "0a000003")));
  EXPECT_TRUE(locked(arp_of(1, "020000000001", "00000000"))) << "a probe";
  EXPECT_FALSE(locked(arp_of(2, "020000000001", "00000000")));
  EXPECT_TRUE(mac_only(arp_of(2, "020000000001", "0a000003")));
  EXPECT_FALSE(mac_only(arp_of(2, "020000000099", "0a000001")));
  EXPECT_FALSE(mac_only(be16(0x0806) + hex("0001 86dd 06 10") + filler(60))) << "not understood";
}

TEST(SourceFilterTest, Ipv6Sources) {
  const Bytes data = udp(1, 2, {});
  EXPECT_TRUE(locked(ipv6({.source = kOwn}, data)));
  EXPECT_TRUE(locked(ipv6({.source = kOwnLinkLocal}, data)));
  EXPECT_FALSE(locked(ipv6({.source = kOther}, data)));
  EXPECT_FALSE(locked(ipv6({.source = kUnspecified}, data)));
  EXPECT_FALSE(locked(be16(0x86dd) + hex("6000")));
  SourceGuard none = guard(true, true);
  none.ipv6->clear();
  EXPECT_FALSE(admits(none, macs() + ipv6({.source = kOwnLinkLocal}, data)));
  EXPECT_FALSE(admits(none, macs() + icmpv6_from(kUnspecified, solicitation(kOwn))));
  EXPECT_TRUE(admits(guard(true, false), macs() + ipv6({.source = kOther}, data)));
}

TEST(SourceFilterTest, DuplicateAddressDetection) {
  EXPECT_TRUE(locked(icmpv6_from(kUnspecified, solicitation(kOwn))));
  EXPECT_TRUE(locked(icmpv6_from(kUnspecified, solicitation(kOwnLinkLocal))));
  EXPECT_FALSE(locked(icmpv6_from(kUnspecified, solicitation(kOther))));
  EXPECT_TRUE(locked(icmpv6_from(kUnspecified, icmp(143, 0, be32(0)))));
  EXPECT_FALSE(locked(icmpv6_from(kUnspecified, icmp(128, 0, be32(0)))));
  EXPECT_FALSE(locked(icmpv6_from(kUnspecified, advertisement(kOwn))));
}

TEST(SourceFilterTest, NeighbourDiscoveryClaimsNobodyElse) {
  EXPECT_TRUE(locked(icmpv6_from(kOwn, solicitation(kOther, kOwnLink)))) << "asks";
  EXPECT_FALSE(locked(icmpv6_from(kOwn, solicitation(kOther, kOtherLink))));
  EXPECT_FALSE(locked(icmpv6_from(kOwn, solicitation(kOther, kOwnLink + kOtherLink)))) << "the second one";
  EXPECT_TRUE(locked(icmpv6_from(kOwnLinkLocal, advertisement(kOwn, hex("02 01 020000000001")))));
  EXPECT_FALSE(locked(icmpv6_from(kOwn, advertisement(kOwn, hex("02 01 020000000099")))));
  EXPECT_FALSE(locked(icmpv6_from(kOwn, advertisement(kOther))));
  EXPECT_FALSE(mac_only(icmpv6_from(kOther, solicitation(kOwn, kOtherLink))));
  EXPECT_TRUE(mac_only(icmpv6_from(kOther, advertisement(kOther))));
  for (const Bytes& options : {hex("01 00 020000000001"), hex("01 02 020000000001"), hex("01 01 0200"), hex("00")}) {
    EXPECT_FALSE(locked(icmpv6_from(kOwn, solicitation(kOther, options)))) << test::to_hex(options);
  }
}

TEST(SourceFilterTest, NoRouters) {
  for (const unsigned type : {134u, 137u, 146u, 147u, 151u, 152u, 153u}) {
    EXPECT_FALSE(locked(icmpv6_from(kOwn, icmp(type, 0, filler(60))))) << type;
  }
  EXPECT_TRUE(locked(icmpv6_from(kOwnLinkLocal, icmp(133, 0, be32(0) + kOwnLink))));
  EXPECT_FALSE(locked(icmpv6_from(kOwnLinkLocal, icmp(133, 0, be32(0) + kOtherLink))));
  EXPECT_TRUE(mac_only(icmpv6_from(kOther, icmp(134, 0, filler(12) + kOwnLink))));
}

TEST(SourceFilterTest, NoEvasionByExtensionHeadersAndFragments) {
  const Bytes claim = solicitation(kOther, kOtherLink);
  const auto from_own = [](unsigned next, std::size_t l4_at, const Bytes& payload) {
    return ipv6({.next = next, .l4 = 58, .l4_at = l4_at, .source = kOwn}, payload);
  };
  EXPECT_FALSE(locked(from_own(0, 8, hex("3a 00 0104 00000000") + claim)));
  EXPECT_FALSE(locked(from_own(44, 8, hex("3a 00 0001 00000001") + claim))) << "first fragment";
  EXPECT_FALSE(locked(from_own(44, 8, hex("3a 00 0001 00000001") + solicitation(kOther, kOwnLink))));
  EXPECT_FALSE(locked(from_own(44, 8, hex("3c 00 0001 00000001") + hex("3a01")))) << "headers in the next fragment";
  EXPECT_FALSE(locked(from_own(44, 8, hex("3a 00 0001 00000001")))) << "nothing in the first fragment";
  EXPECT_TRUE(locked(from_own(44, 8, hex("3a 00 0010 00000001") + filler(16)))) << "later fragment";
  EXPECT_TRUE(locked(from_own(44, 8, hex("11 00 0001 00000001") + udp(1, 2, filler(16)))));
  const Bytes whole = macs() + icmpv6_from(kOwn, solicitation(kOther, kOwnLink));
  EXPECT_FALSE(admits(guard(true, true), Bytes(whole.begin(), whole.end() - 8))) << "not all of it is there";
  EXPECT_TRUE(locked(ipv6({.next = 59, .l4 = 59, .source = kOwn}, {})));
  EXPECT_TRUE(locked(ipv6({.next = 50, .l4 = 50, .source = kOwn}, filler(20))));
}

TEST(SourceFilterTest, TagsAndOtherEthertypesOnlyWhereTheMacAloneCounts) {
  const Bytes inner = ipv4({}, udp(1, 2, {}));
  EXPECT_FALSE(locked(tag(0x8100, 5) + inner));
  EXPECT_FALSE(locked(tag(0x88a8, 0) + inner));
  EXPECT_FALSE(locked(tag(0x8100, 0) + tag(0x8100, 0) + inner));
  EXPECT_TRUE(locked(tag(0x8100, 5 << 13) + inner)) << "priority tag";
  EXPECT_FALSE(locked(be16(0x88cc) + filler(46)));
  EXPECT_FALSE(locked(be16(46) + hex("424203") + filler(43)));
  EXPECT_FALSE(locked(be16(0x8847) + test::label(16, 0, true, 64) + filler(40)));
  EXPECT_TRUE(mac_only(tag(0x8100, 5) + inner));
  EXPECT_TRUE(mac_only(be16(0x1234) + filler(46)));
  EXPECT_FALSE(mac_only(tag(0x8100, 5) + arp_of(2, "020000000099", "0a000001")));
}

TEST(SourceFilterTest, DropsBeforeAnyTableAndCounts) {
  kit::Switch bridge;
  bridge.flow(0, 1, kit::any(), kit::apply({kit::output(2)}));
  PortSettings settings;
  settings.sources = guard(true, true);
  bridge.pipeline.configure_port(PortNo{1}, settings);
  bridge.receive(1, {macs() + ipv4({}, udp(1, 2, {})), macs() + be16(0x88cc) + filler(46)});
  EXPECT_EQ(bridge.port(2).sent.size(), 1u);
  EXPECT_EQ(bridge.port(1).dropped(Drop::kSpoofed), 1u);
  EXPECT_EQ(bridge.pipeline.table(0).lookups, 1u);
  bridge.receive(3, macs() + be16(0x88cc) + filler(46));
  EXPECT_EQ(bridge.port(2).sent.size(), 2u) << "other ports are not guarded";
  bridge.pipeline.configure_port(PortNo{1}, {});
  bridge.receive(1, macs() + be16(0x88cc) + filler(46));
  EXPECT_EQ(bridge.port(2).sent.size(), 3u);
  EXPECT_EQ(bridge.pool.available(), 1024u);
}

}  // namespace
}  // namespace xvif
