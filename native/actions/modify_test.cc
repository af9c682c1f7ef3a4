#include "actions/modify.h"

#include <gtest/gtest.h>

#include "actions/test_actions.h"
#include "actions/validate.h"

namespace xvif::test {
namespace {

/// A frame with its key, on its way through actions.
class Journey {
 public:
  explicit Journey(const Bytes& frame) : packet(packet_of(pool_, frame)) {
    store_be32(key.at(key_at::kInPort), 3);
    parse(*packet, key);
  }
  ~Journey() { packet->release(); }
  Journey(const Journey&) = delete;
  Journey& operator=(const Journey&) = delete;

  Verdict act(const Bytes& actions) {
    EXPECT_EQ(validate_actions(actions), Status::kOk) << to_hex(actions);
    for (const ActionView a : Actions(actions)) {
      if (Verdict v = modify(*packet, key, a); v != Verdict::kOk) return v;
    }
    return Verdict::kOk;
  }
  std::string frame() const { return to_hex(bytes_of(*packet)); }
  std::string fields() const { return describe(*packet, key); }

 private:
  PacketPool pool_{1};

 public:
  Packet* packet;
  FlowKey key{};
};

std::string after(const Bytes& frame, const Bytes& actions) {
  Journey run(frame);
  EXPECT_EQ(run.act(actions), Verdict::kOk);
  return run.frame();
}

const Bytes kData = text("0123456789abcdefghi");
const Bytes kUdp = udp(1000, 2000, kData);

Bytes without_type(const Bytes& ip) { return Bytes(ip.begin() + 2, ip.end()); }

TEST(ModifyTags, pops_leave_the_shortest_frame) {
  const Bytes rest = hex("1234") + Bytes(44, 7);
  const Bytes tagged = macs() + tag(0x8100, 1) + rest;
  EXPECT_EQ(after(tagged, action(Action::kPopVlan)), to_hex(macs() + rest + Bytes(2, 0)));
  const Bytes short_frame = macs() + tag(0x8100, 1) + hex("1234") + Bytes(20, 7);
  EXPECT_EQ(after(short_frame, action(Action::kPopVlan)), to_hex(macs() + hex("1234") + Bytes(20, 7)))
      << "it was shorter before";
}

const Bytes kItagMacs = hex("020000000009 02000000000a");

TEST(ModifyTags, pbb_of13_5_12) {
  const Bytes push = action(Action::kPushPbb, le16(0x88e7));
  const Bytes pop = action(Action::kPopPbb);
  const Bytes plain = macs() + ipv4({}, kUdp);
  const Bytes itag = macs() + be16(0x88e7);
  EXPECT_EQ(after(plain, push), to_hex(itag + hex("00000000") + plain));
  // The VLAN tag stays inside and gives its priority; a second I-TAG takes the I-SID of the first.
  const Bytes tagged = macs() + tag(0x8100, 0x7064) + ipv4({}, kUdp);
  EXPECT_EQ(after(tagged, push), to_hex(itag + hex("60000000") + tagged));
  EXPECT_EQ(after(tagged, push + set_field(Field::kPbbIsid, hex("012345")) + push),
            to_hex(itag + hex("00012345") + itag + hex("60012345") + tagged));
  EXPECT_EQ(after(plain, push + set_field(Field::kPbbIsid, hex("ffffff")) + set_field(Field::kPbbUca, {1})),
            to_hex(itag + hex("08ffffff") + plain));
  EXPECT_EQ(after(tagged, push + push + pop + pop), to_hex(tagged));
  // Bits that are no field stay; the customer's addresses come back, the backbone's VLAN tag stays.
  const Bytes customer = kItagMacs + ipv4({}, kUdp);
  const Bytes backbone = macs() + tag(0x88a8, 7) + be16(0x88e7);
  EXPECT_EQ(after(backbone + hex("f7000001") + customer, set_field(Field::kPbbIsid, hex("000002"))),
            to_hex(backbone + hex("f7000002") + customer));
  EXPECT_EQ(after(backbone + hex("f7000001") + customer, pop), to_hex(kItagMacs + tag(0x88a8, 7) + ipv4({}, kUdp)));
  // Cut short, there is no I-TAG; and a packet without one is left alone.
  const Bytes cut = itag + hex("00000001") + macs();
  EXPECT_EQ(after(cut, pop + set_field(Field::kPbbIsid, hex("000002"))), to_hex(cut));
  EXPECT_EQ(after(plain, pop), to_hex(plain));
}

TEST(ModifyTags, pbb_fields) {
  const Bytes addresses = macs();
  Journey run(macs() + be16(0x88e7) + hex("68000064") + macs() + ipv4({}, kUdp));
  EXPECT_EQ(run.fields(), "in_port=00000003 eth_dst=" + to_hex(std::span(addresses).first(6)) + " eth_src=" +
                              to_hex(std::span(addresses).subspan(6)) + " eth_type=88e7 pbb_isid=000064 pbb_uca=01");
  run.act(action(Action::kPopPbb));
  EXPECT_NE(run.fields().find("udp_src=03e8"), std::string::npos) << run.fields();
}

TEST(ModifyTags, push_vlan_of13_5_12) {
  const Bytes plain = macs() + ipv4({}, kUdp);
  EXPECT_EQ(after(plain, push_vlan(0x8100)), to_hex(macs() + tag(0x8100, 0) + ipv4({}, kUdp)));
  const Bytes tagged = macs() + tag(0x8100, 0x7064) + ipv4({}, kUdp);  // with DEI, which is no OpenFlow field
  EXPECT_EQ(after(tagged, push_vlan(0x88a8)),
            to_hex(macs() + tag(0x88a8, 0x6064) + tag(0x8100, 0x7064) + ipv4({}, kUdp)));
  EXPECT_EQ(
      after(plain, push_vlan(0x8100) + set_field(Field::kVlanVid, be16(0x1005)) + set_field(Field::kVlanPcp, {5})),
      to_hex(macs() + tag(0x8100, 0xa005) + ipv4({}, kUdp)));
}

TEST(ModifyTags, push_vlan_only_where_there_is_none) {
  const Bytes push = action(Action::kPushVlan, le16(0x8100) + Bytes{1});
  const Bytes plain = macs() + ipv4({}, kUdp);
  EXPECT_EQ(after(plain, push), to_hex(macs() + tag(0x8100, 0) + ipv4({}, kUdp)));
  const Bytes tagged = macs() + tag(0x88a8, 5) + ipv4({}, kUdp);
  EXPECT_EQ(after(tagged, push), to_hex(tagged));
}

TEST(ModifyTags, pop_vlan_takes_the_outermost) {
  const Bytes frame = macs() + tag(0x88a8, 5) + tag(0x8100, 6) + ipv4({}, kUdp);
  EXPECT_EQ(after(frame, action(Action::kPopVlan)), to_hex(macs() + tag(0x8100, 6) + ipv4({}, kUdp)));
  EXPECT_EQ(after(frame, action(Action::kPopVlan) + action(Action::kPopVlan)), to_hex(macs() + ipv4({}, kUdp)));
  const Bytes plain = macs() + ipv4({}, kUdp);
  EXPECT_EQ(after(plain, action(Action::kPopVlan)), to_hex(plain)) << "nothing to pop";
}

TEST(ModifyTags, set_vlan_keeps_the_drop_eligible_bit) {
  const Bytes frame = macs() + tag(0x8100, 0x7064) + ipv4({}, kUdp);
  EXPECT_EQ(after(frame, set_field(Field::kVlanVid, be16(0x1001))),
            to_hex(macs() + tag(0x8100, 0x7001) + ipv4({}, kUdp)));
  EXPECT_EQ(after(frame, set_field(Field::kVlanPcp, {1})), to_hex(macs() + tag(0x8100, 0x3064) + ipv4({}, kUdp)));
  const Bytes plain = macs() + ipv4({}, kUdp);
  EXPECT_EQ(after(plain, set_field(Field::kVlanVid, be16(0x1001))), to_hex(plain)) << "no tag";
}

TEST(ModifyTags, push_mpls_of13_5_12) {
  const Bytes ip = ipv4({.ttl = 33}, kUdp);
  EXPECT_EQ(after(macs() + ip, push_mpls(0x8847)),
            to_hex(macs() + be16(0x8847) + label(0, 0, true, 33) + without_type(ip)));
  const Bytes ip6 = ipv6({.limit = 34}, kUdp);
  EXPECT_EQ(after(macs() + tag(0x8100, 5) + ip6, push_mpls(0x8848)),
            to_hex(macs() + tag(0x8100, 5) + be16(0x8848) + label(0, 0, true, 34) + without_type(ip6)));
  EXPECT_EQ(after(macs() + arp(1), push_mpls(0x8847)),
            to_hex(macs() + be16(0x8847) + label(0, 0, true, 0) + without_type(arp(1))));
  const Bytes one = macs() + be16(0x8847) + label(100, 3, true, 64) + without_type(ip);
  EXPECT_EQ(after(one, push_mpls(0x8848)),
            to_hex(macs() + be16(0x8848) + label(100, 3, false, 64) + label(100, 3, true, 64) + without_type(ip)));
  const Bytes snap = macs() + be16(8 + 47) + hex("aaaa03 000000") + ip;
  EXPECT_EQ(after(snap, push_mpls(0x8847)), to_hex(macs() + be16(8 + 51) + hex("aaaa03 000000") + be16(0x8847) +
                                                   label(0, 0, true, 33) + without_type(ip)));
  const Bytes llc = macs() + be16(46) + hex("424203") + filler(43);
  EXPECT_EQ(after(llc, push_mpls(0x8847)), to_hex(llc)) << "no ethertype to change";
}

TEST(ModifyTags, pop_mpls_parses_what_appears) {
  const Bytes ip = ipv4({}, kUdp);
  const Bytes two =
      macs() + tag(0x8100, 5) + be16(0x8847) + label(1, 0, false, 64) + label(2, 0, true, 63) + without_type(ip);
  Journey run(two);
  EXPECT_EQ(run.act(pop_mpls(0x8847)), Verdict::kOk);
  EXPECT_NE(run.fields().find("mpls_label=000002"), std::string::npos);
  EXPECT_EQ(run.act(pop_mpls(0x0800)), Verdict::kOk);
  EXPECT_EQ(run.frame(), to_hex(macs() + tag(0x8100, 5) + ip));
  EXPECT_NE(run.fields().find("udp_dst=07d0"), std::string::npos);
  EXPECT_EQ(after(macs() + ip, pop_mpls(0x0800)), to_hex(macs() + ip)) << "nothing to pop";
}

TEST(ModifyTags, set_mpls_fields) {
  const Bytes ip = without_type(ipv4({}, kUdp));
  const auto frame = [&](std::uint32_t number, unsigned tc, bool bottom, unsigned ttl) {
    return macs() + be16(0x8847) + label(number, tc, bottom, ttl) + ip;
  };
  EXPECT_EQ(after(frame(1, 2, true, 9), set_field(Field::kMplsLabel, hex("0abcde"))),
            to_hex(frame(0xabcde, 2, true, 9)));
  EXPECT_EQ(after(frame(1, 2, true, 9), set_field(Field::kMplsTc, {7})), to_hex(frame(1, 7, true, 9)));
  EXPECT_EQ(after(frame(1, 2, true, 9), set_field(Field::kMplsBos, {0})), to_hex(frame(1, 2, false, 9)));
  EXPECT_EQ(after(frame(1, 2, true, 9), set_mpls_ttl(200)), to_hex(frame(1, 2, true, 200)));
  EXPECT_EQ(after(frame(1, 2, true, 9), action(Action::kDecMplsTtl)), to_hex(frame(1, 2, true, 8)));
}

TEST(ModifyTtl, reaching_zero_is_invalid) {
  for (const unsigned ttl : {0u, 1u}) {
    for (const Bytes& frame : {macs() + ipv4({.ttl = ttl}, kUdp), macs() + ipv6({.limit = ttl}, kUdp)}) {
      Journey run(frame);
      EXPECT_EQ(run.act(action(Action::kDecNwTtl)), Verdict::kInvalidTtl);
      EXPECT_EQ(run.frame(), to_hex(frame));
    }
    Journey run(macs() + be16(0x8847) + label(1, 0, true, ttl) + filler(40));
    EXPECT_EQ(run.act(action(Action::kDecMplsTtl)), Verdict::kInvalidTtl);
  }
  EXPECT_EQ(after(macs() + ipv4({.ttl = 2}, kUdp), action(Action::kDecNwTtl)), to_hex(macs() + ipv4({.ttl = 1}, kUdp)));
  EXPECT_EQ(after(macs() + ipv6({.limit = 2}, kUdp), action(Action::kDecNwTtl)),
            to_hex(macs() + ipv6({.limit = 1}, kUdp)));
  EXPECT_EQ(after(macs() + arp(1), action(Action::kDecNwTtl) + set_nw_ttl(7)), to_hex(macs() + arp(1)));
  EXPECT_EQ(after(macs() + ipv4({}, kUdp), set_nw_ttl(0)), to_hex(macs() + ipv4({.ttl = 0}, kUdp)));
}

TEST(ModifyTtl, copies_between_label_stack_and_ip) {
  const auto frame4 = [&](unsigned outer, unsigned ip) {
    return macs() + be16(0x8847) + label(1, 0, true, outer) + without_type(ipv4({.ttl = ip}, kUdp));
  };
  const auto frame6 = [&](unsigned outer, unsigned ip) {
    return macs() + be16(0x8847) + label(1, 0, true, outer) + without_type(ipv6({.limit = ip}, kUdp));
  };
  const auto stack = [&](unsigned outer, unsigned inner) {
    return macs() + be16(0x8847) + label(1, 0, false, outer) + label(2, 0, true, inner) + without_type(ipv4({}, kUdp));
  };
  EXPECT_EQ(after(frame4(64, 32), action(Action::kCopyTtlOut)), to_hex(frame4(32, 32)));
  EXPECT_EQ(after(frame4(64, 32), action(Action::kCopyTtlIn)), to_hex(frame4(64, 64)));
  EXPECT_EQ(after(frame6(64, 32), action(Action::kCopyTtlOut)), to_hex(frame6(32, 32)));
  EXPECT_EQ(after(frame6(64, 32), action(Action::kCopyTtlIn)), to_hex(frame6(64, 64)));
  EXPECT_EQ(after(stack(5, 6), action(Action::kCopyTtlOut)), to_hex(stack(6, 6)));
  EXPECT_EQ(after(stack(5, 6), action(Action::kCopyTtlIn)), to_hex(stack(5, 5)));
  const Bytes plain = macs() + ipv4({}, kUdp);
  EXPECT_EQ(after(plain, action(Action::kCopyTtlIn) + action(Action::kCopyTtlOut)), to_hex(plain));
}

TEST(ModifyFields, expected_bytes) {
  const auto udp4 = [](const Ipv4& ip, unsigned source, unsigned dest) {
    return macs() + ipv4(ip, udp(source, dest, kData));
  };
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kEthDst, hex("0a0b0c0d0e0f"))),
            to_hex(hex("0a0b0c0d0e0f 020000000001") + ipv4({}, udp(1, 2, kData))));
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kEthSrc, hex("0a0b0c0d0e0f"))),
            to_hex(hex("020000000002 0a0b0c0d0e0f") + ipv4({}, udp(1, 2, kData))));
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kIpv4Src, hex("c0a80a0a"))),
            to_hex(udp4({.source = hex("c0a80a0a")}, 1, 2)));
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kIpv4Dst, hex("c0a80a0a"))),
            to_hex(udp4({.dest = hex("c0a80a0a")}, 1, 2)));
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kUdpSrc, be16(77))), to_hex(udp4({}, 77, 2)));
  EXPECT_EQ(after(udp4({}, 1, 2), set_field(Field::kUdpDst, be16(77))), to_hex(udp4({}, 1, 77)));
  EXPECT_EQ(after(udp4({.tos = 3}, 1, 2), set_field(Field::kIpDscp, {46})), to_hex(udp4({.tos = 46 << 2 | 3}, 1, 2)));
  EXPECT_EQ(after(udp4({.tos = 0xb8}, 1, 2), set_field(Field::kIpEcn, {2})), to_hex(udp4({.tos = 0xba}, 1, 2)));
  const auto tcp4 = [](unsigned source, unsigned dest) {
    return macs() + ipv4({.proto = 6}, tcp(source, dest, 2, kData));
  };
  EXPECT_EQ(after(tcp4(1, 2), set_field(Field::kTcpSrc, be16(9)) + set_field(Field::kTcpDst, be16(8))),
            to_hex(tcp4(9, 8)));
  const auto sctp4 = [](unsigned source, unsigned dest) {
    return macs() + ipv4({.proto = 132}, sctp(source, dest, kData));
  };
  EXPECT_EQ(after(sctp4(1, 2), set_field(Field::kSctpSrc, be16(9)) + set_field(Field::kSctpDst, be16(8))),
            to_hex(sctp4(9, 8)));
  const auto ping = [](unsigned type, unsigned code) { return macs() + ipv4({.proto = 1}, icmp(type, code, kData)); };
  EXPECT_EQ(after(ping(8, 0), set_field(Field::kIcmpv4Type, {0}) + set_field(Field::kIcmpv4Code, {5})),
            to_hex(ping(0, 5)));
}

TEST(ModifyFields, expected_bytes_ipv6_and_arp) {
  const auto udp6 = [](const Ipv6& ip, unsigned source) { return macs() + ipv6(ip, udp(source, 2, kData)); };
  const Bytes other = hex("fd00000000000000ffff00000000abcd");
  EXPECT_EQ(after(udp6({}, 1), set_field(Field::kIpv6Src, other)), to_hex(udp6({.source = other}, 1)));
  EXPECT_EQ(after(udp6({}, 1), set_field(Field::kIpv6Dst, other)), to_hex(udp6({.dest = other}, 1)));
  EXPECT_EQ(after(udp6({}, 1), set_field(Field::kIpDscp, {46}) + set_field(Field::kIpEcn, {1}) +
                                   set_field(Field::kIpv6Flabel, hex("0abcde"))),
            to_hex(udp6({.first = 0x6b9abcde}, 1)));
  EXPECT_EQ(after(udp6({}, 1), set_field(Field::kUdpSrc, be16(9))), to_hex(udp6({}, 9)));
  const Bytes solicitation = macs() + ipv6({.next = 58, .l4 = 58}, neighbour(135));
  Journey run(solicitation);
  run.act(set_field(Field::kIpv6NdTarget, other) + set_field(Field::kIpv6NdSll, hex("aabbccddeeff")) +
          set_field(Field::kIpv6NdTll, hex("010203040506")));
  EXPECT_TRUE(checksums_right(bytes_of(*run.packet)));
  EXPECT_EQ(run.frame().substr(2 * (14 + 40 + 8)), "fd00000000000000ffff00000000abcd0101aabbccddeeff0201020000000022");
  EXPECT_EQ(after(macs() + arp(1), set_field(Field::kArpOp, be16(2)) + set_field(Field::kArpSha, hex("aabbccddeeff")) +
                                       set_field(Field::kArpSpa, hex("01020304")) +
                                       set_field(Field::kArpTha, hex("112233445566")) +
                                       set_field(Field::kArpTpa, hex("05060708"))),
            to_hex(macs() + hex("0806 0001 0800 0604 0002 aabbccddeeff 01020304 112233445566 05060708")));
}

TEST(ModifyFields, a_solicitation_becomes_an_advertisement) {
  Journey run(macs() + ipv6({.next = 58, .l4 = 58, .limit = 255}, neighbour(135)));
  EXPECT_EQ(*(run.key.at(key_at::kIcmpv6NdOptionsType) + 1), 1);
  run.act(set_field(Field::kIcmpv6NdOptionsType, {2}) + set_field(Field::kIcmpv6NdReserved, hex("e0000000")));
  EXPECT_EQ(*(run.key.at(key_at::kIcmpv6NdOptionsType) + 1), 0) << "a solicitation has no such option";
  EXPECT_EQ(run.key.be32(key_at::kIcmpv6NdReserved), 0xe0000000u);
  run.act(set_field(Field::kIcmpv6Type, {136}) + set_field(Field::kIpv6NdTll, hex("aabbccddeeff")));
  EXPECT_EQ(*(run.key.at(key_at::kIcmpv6NdOptionsType) + 1), 2);
  EXPECT_EQ(run.key.be32(key_at::kIcmpv6NdReserved), 0xe0000000u);
  EXPECT_TRUE(checksums_right(bytes_of(*run.packet)));
  EXPECT_EQ(run.frame().substr(2 * (14 + 40 + 4)),
            "e0000000fd0000000000000000000000000000aa0201aabbccddeeff0201020000000022");
}

TEST(ModifyFields, an_option_that_is_not_there_is_not_written) {
  const Bytes message = icmp(135, 0, be32(0) + hex("fd0000000000000000000000000000aa"));
  const Bytes frame = macs() + ipv6({.next = 58, .l4 = 58, .limit = 255}, message) + hex("0101020000000011");
  EXPECT_EQ(after(frame, set_field(Field::kIcmpv6NdOptionsType, {2})), to_hex(frame));
}

TEST(ModifyFields, ip_proto_changes_what_follows) {
  Journey run(macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, kData)));
  run.act(set_field(Field::kIpProto, {17}));
  EXPECT_NE(run.fields().find("udp_src=0001"), std::string::npos);
  // The pseudo header of the TCP checksum has the new number.
  EXPECT_EQ(run.packet->data[23], 17);
  EXPECT_EQ(internet_checksum({run.packet->data + 14, 20}), 0);
  InternetSum sum;
  const std::size_t length = run.packet->linear - 34;
  sum.add_number(pseudo_header_sum(run.packet->data + 14, false, 17, static_cast<std::uint32_t>(length)));
  sum.add({run.packet->data + 34, length});
  EXPECT_EQ(sum.checksum(), 0);
}

TEST(ModifyFields, eth_type_changes_what_follows) {
  Journey run(macs() + tag(0x8100, 5) + ipv4({}, kUdp));
  const Bytes mpls = be16(0x8848);
  set_packet_field(*run.packet, run.key, Field::kEthType, mpls.data());
  EXPECT_EQ(run.frame(), to_hex(macs() + tag(0x8100, 5) + mpls + without_type(ipv4({}, kUdp))));
  EXPECT_EQ(run.packet->l3, 0);
  EXPECT_EQ(run.packet->mpls, 18);
}

TEST(ModifyFields, in_ipv6_the_last_next_header_changes) {
  Journey run(macs() + ipv6({.next = 0, .l4 = 17, .l4_at = 8}, hex("11 00 0104 00000000") + kUdp));
  run.act(set_field(Field::kIpProto, {132}));
  EXPECT_EQ(run.packet->data[14 + 6], 0);
  EXPECT_EQ(run.packet->data[14 + 40], 132);
}

TEST(ModifyFields, a_routing_header_keeps_the_destination_out_of_the_checksum) {
  const Bytes other = hex("fd00000000000000ffff00000000abcd");
  for (const bool left : {false, true}) {
    Bytes routing = hex("11 00 0000 00000000");
    routing[3] = left ? 1 : 0;
    const Bytes frame = macs() + ipv6({.next = 43, .l4 = 17, .l4_at = 8}, routing + kUdp);
    Journey run(frame);
    const std::string before = to_hex({run.packet->data + run.packet->l4, 8});
    run.act(set_field(Field::kIpv6Dst, other));
    EXPECT_EQ(to_hex({run.packet->data + run.packet->l4, 8}) == before, left);
  }
}

TEST(ModifyFields, udp_without_checksum_stays_so) {
  Bytes frame = macs() + ipv4({}, kUdp);
  frame[40] = frame[41] = 0;
  Journey run(frame);
  run.act(set_field(Field::kIpv4Src, hex("c0a80a0a")) + set_field(Field::kUdpSrc, be16(1)));
  EXPECT_EQ(load_be16(run.packet->data + 40), 0);
}

TEST(ModifyFields, a_wrong_checksum_stays_wrong) {
  Bytes frame = macs() + ipv4({.proto = 6}, tcp(1, 2, 0x10, kData));
  frame[50] ^= 1;
  Journey run(frame);
  run.act(set_field(Field::kIpv4Src, hex("c0a80a0a")) + set_field(Field::kTcpDst, be16(99)));
  EXPECT_FALSE(checksums_right(bytes_of(*run.packet)));
}

TEST(Modify, push_without_headroom) {
  Journey run(macs() + ipv4({}, kUdp));
  for (std::size_t i = 0; i < kHeadroom / 4; ++i) EXPECT_EQ(run.act(push_vlan(0x8100)), Verdict::kOk);
  const std::string full = run.frame();
  EXPECT_EQ(run.act(push_vlan(0x8100)), Verdict::kNoRoom);
  EXPECT_EQ(run.act(push_mpls(0x8847)), Verdict::kNoRoom);
  EXPECT_EQ(run.frame(), full);
  EXPECT_EQ(run.act(action(Action::kPopVlan) + push_mpls(0x8847)), Verdict::kOk);
}

TEST(Modify, remark_dscp_raises_the_drop_precedence) {
  const auto remarked = [](unsigned dscp, unsigned levels) {
    Journey run(macs() + ipv4({.tos = dscp << 2 | 1}, kUdp));
    remark_dscp(*run.packet, run.key, levels);
    EXPECT_TRUE(checksums_right(bytes_of(*run.packet)));
    return static_cast<unsigned>(run.packet->data[15]);
  };
  EXPECT_EQ(remarked(18, 1), 20u << 2 | 1);  // AF21 -> AF22
  EXPECT_EQ(remarked(18, 2), 22u << 2 | 1);
  EXPECT_EQ(remarked(18, 200), 22u << 2 | 1);
  EXPECT_EQ(remarked(38, 1), 38u << 2 | 1);  // AF43
  EXPECT_EQ(remarked(46, 1), 46u << 2 | 1);  // EF
  EXPECT_EQ(remarked(0, 1), 0u << 2 | 1);
  EXPECT_EQ(remarked(8, 1), 8u << 2 | 1);  // CS1
}

TEST(Modify, metadata_and_tunnel_are_in_the_key_only) {
  Journey run(macs() + ipv4({}, kUdp));
  const std::string before = run.frame();
  run.act(set_field(Field::kMetadata, hex("0102030405060708")) + set_field(Field::kTunnelId, hex("1112131415161718")));
  EXPECT_EQ(run.key.be64(key_at::kMetadata), 0x0102030405060708u);
  EXPECT_EQ(run.key.be64(key_at::kTunnelId), 0x1112131415161718u);
  write_metadata(run.key, 0xffff, 0x00f0);
  EXPECT_EQ(run.key.be64(key_at::kMetadata), 0x01020304050607f8u);
  EXPECT_EQ(run.frame(), before);
}

}  // namespace
}  // namespace xvif::test
