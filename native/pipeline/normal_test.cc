// NORMAL among access ports and trunks.
#include <gtest/gtest.h>

#include "pipeline/port_vlan.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;

PortSettings access(std::uint16_t tag) {
  PortSettings settings;
  settings.vlan = VlanMembership{.tag = tag, .trunks = {}};
  return settings;
}
PortSettings trunk(std::initializer_list<std::uint16_t> vlans) {
  PortSettings settings;
  settings.vlan.emplace();
  for (const std::uint16_t vlan : vlans) settings.vlan->trunks.set(vlan);
  return settings;
}

Bytes tagged(const Bytes& frame, std::uint16_t tci, std::uint16_t tpid = 0x8100) {
  Bytes out(frame.begin(), frame.begin() + 12);
  out.resize(16);
  store_be16(&out[12], tpid);
  store_be16(&out[14], tci);
  out.insert(out.end(), frame.begin() + 12, frame.end());
  return out;
}

/// Ports 1 and 2 in VLAN 10, 3 in VLAN 20, 4 a trunk of 10 and 30, 5 and 6 say nothing: trunks of all.
class NormalVlanTest : public testing::Test {
 protected:
  NormalVlanTest() {
    configure(1, access(10));
    configure(2, access(10));
    configure(3, access(20));
    configure(4, trunk({10, 30}));
    switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kNormal)}));
  }
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }
  void configure(std::uint32_t port, const PortSettings& settings) {
    switch_.pipeline.configure_port(PortNo{port}, settings);
  }
  Counts pass(std::uint32_t port, const Bytes& frame) {
    switch_.receive(port, frame);
    return switch_.sent();
  }
  std::uint64_t refused(std::uint32_t port) { return switch_.port(port).dropped(Drop::kVlan); }

  kit::Switch switch_;
  const Bytes plain_ = Udp().frame();
};

TEST_F(NormalVlanTest, FromAccessPortUntaggedToItsVlanAndTaggedToTrunks) {
  switch_.receive(1, plain_);
  EXPECT_EQ(switch_.port(2).sent, std::vector<Bytes>{plain_});
  for (const std::uint32_t trunk : {4u, 5u, 6u}) {
    EXPECT_EQ(switch_.port(trunk).sent, std::vector<Bytes>{tagged(plain_, 10)}) << trunk;
  }
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 0, 1, 1, 1}));
}

TEST_F(NormalVlanTest, AccessPortTakesPriorityTagsAndNoOthers) {
  switch_.receive(1, tagged(plain_, 5 << 13));
  EXPECT_EQ(switch_.port(2).sent, std::vector<Bytes>{plain_});
  EXPECT_EQ(switch_.port(4).sent, std::vector<Bytes>{tagged(plain_, 5 << 13 | 10)});
  switch_.sent();
  EXPECT_EQ(pass(1, tagged(plain_, 10)), Counts(6, 0));
  EXPECT_EQ(pass(1, tagged(tagged(plain_, 20), 0)), Counts(6, 0));
  Bytes cut(plain_.begin(), plain_.begin() + 12);
  cut.insert(cut.end(), {0x81, 0x00, 0x00, 0x14});
  EXPECT_EQ(pass(1, cut), Counts(6, 0));
  EXPECT_EQ(refused(1), 3u);
}

TEST_F(NormalVlanTest, FromTrunkOnlyWhatItCarries) {
  switch_.receive(4, tagged(plain_, 7 << 13 | 10));
  EXPECT_EQ(switch_.port(1).sent, std::vector<Bytes>{plain_});
  EXPECT_EQ(switch_.port(5).sent, std::vector<Bytes>{tagged(plain_, 7 << 13 | 10)});
  EXPECT_EQ(switch_.sent(), Counts({1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(pass(4, tagged(plain_, 30)), Counts({0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(refused(4), 0u);
  EXPECT_EQ(pass(4, tagged(plain_, 20)), Counts(6, 0));
  EXPECT_EQ(pass(4, plain_), Counts(6, 0));
  EXPECT_EQ(refused(4), 2u);
}

TEST_F(NormalVlanTest, NoHoppingBySecondTag) {
  // Popping the outer tag would show VLAN 20 behind it.
  EXPECT_EQ(pass(5, tagged(tagged(plain_, 20), 10)), Counts({0, 0, 0, 1, 0, 1}));
}

TEST_F(NormalVlanTest, WithoutVlanOnlyAmongTrunksThatCarryNone) {
  EXPECT_EQ(pass(5, plain_), Counts({0, 0, 0, 0, 0, 1}));
  configure(4, trunk({0, 10}));
  EXPECT_EQ(pass(5, plain_), Counts({0, 0, 0, 1, 0, 1}));
}

TEST_F(NormalVlanTest, LearnsVlanByVlan) {
  const Bytes back = Udp{.source_mac = 2, .destination_mac = 1}.frame();
  EXPECT_EQ(pass(2, back), Counts({1, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pass(1, plain_), Counts({0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(pass(5, tagged(plain_, 10)), Counts({0, 1, 0, 0, 0, 0}));
  // The same station in another VLAN is somebody else.
  EXPECT_EQ(pass(3, plain_), Counts({0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(pass(2, plain_), Counts(6, 0)) << "back to where it came from";
}

TEST_F(NormalVlanTest, ForgetsStationsOfAPortThatChangesItsVlan) {
  pass(2, Udp{.source_mac = 2, .destination_mac = 1}.frame());
  EXPECT_EQ(pass(1, plain_), Counts({0, 1, 0, 0, 0, 0}));
  configure(2, access(20));
  EXPECT_EQ(pass(1, plain_), Counts({0, 0, 0, 1, 1, 1}));
  configure(2, {});
  EXPECT_EQ(pass(1, plain_), Counts({0, 1, 0, 1, 1, 1}));
}

TEST_F(NormalVlanTest, SettingsOfAnAttachAreInForceAtOnce) {
  switch_.pipeline.detach(PortNo{6});
  switch_.pipeline.attach(PortNo{6}, switch_.port(6), switch_.now, access(10));
  switch_.receive(1, plain_);
  EXPECT_EQ(switch_.port(6).sent, std::vector<Bytes>{plain_});
  switch_.sent();
}

TEST_F(NormalVlanTest, ConcernsNormalOnly) {
  switch_.flow(0, 2, kit::on_port(1), apply({output(3), output(ReservedPort::kFlood)}));
  switch_.receive(1, plain_);
  EXPECT_EQ(switch_.port(3).sent, std::vector<Bytes>({plain_, plain_}));
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 2, 1, 1, 1}));
}

TEST_F(NormalVlanTest, LeavesThePacketToLaterActionsAsItWas) {
  switch_.flow(0, 2, kit::on_port(1), apply({output(ReservedPort::kNormal), output(3)}));
  switch_.receive(1, plain_);
  EXPECT_EQ(switch_.port(4).sent, std::vector<Bytes>{tagged(plain_, 10)});
  EXPECT_EQ(switch_.port(3).sent, std::vector<Bytes>{plain_});
  switch_.sent();
}

TEST_F(NormalVlanTest, MovesChecksumAndHeaderOffsetsWithTheTag) {
  Packet* const packet = kit::make_packet(switch_.pool, 1, plain_);
  packet->csum_blank = true;
  packet->csum_start = 34;
  packet->csum_offset = 6;
  packet->l3 = 14;
  packet->l4 = 34;
  ASSERT_TRUE(change_tag(*packet, TagChange::kPush, 10));
  EXPECT_EQ(packet->csum_start, 38);
  EXPECT_EQ(packet->l3, 18);
  EXPECT_EQ(packet->l4, 38);
  ASSERT_TRUE(change_tag(*packet, TagChange::kPop, 0));
  EXPECT_EQ(packet->csum_start, 34);
  EXPECT_EQ(packet->l3, 14);
  EXPECT_EQ(packet->size, plain_.size());
  while (packet->headroom() >= 4) ASSERT_TRUE(change_tag(*packet, TagChange::kPush, 1));
  EXPECT_FALSE(change_tag(*packet, TagChange::kPush, 1));
  packet->release();
}

TEST_F(NormalVlanTest, DisabledPortPassesNothing) {
  PortSettings off;
  off.disabled = true;
  configure(2, off);
  EXPECT_EQ(pass(1, plain_), Counts({0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pass(2, plain_), Counts(6, 0));
  EXPECT_EQ(switch_.port(2).dropped(Drop::kPortDown), 1u);
  switch_.flow(0, 2, kit::on_port(1), apply({output(2)}));
  EXPECT_EQ(pass(1, plain_), Counts(6, 0));
  EXPECT_EQ(switch_.port(2).tx_dropped(Drop::kPortDown), 1u);
  EXPECT_EQ(switch_.pipeline.ports().slot(PortNo{2})->port_config(), 0u);
}

}  // namespace
}  // namespace xvif
