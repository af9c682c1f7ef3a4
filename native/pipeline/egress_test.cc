#include <gtest/gtest.h>

#include <numeric>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::go;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;

class EgressTest : public testing::Test {
 protected:
  EgressTest() { first_egress(10); }
  void first_egress(std::uint8_t table) {
    switch_.pipeline.begin(switch_.now, false);
    EXPECT_EQ(switch_.pipeline.set_config(FragMode::kNormal, table), Status::kOk);
    switch_.pipeline.publish();
  }
  void on_way_to(std::uint32_t port, const Bytes& instructions, std::uint8_t table = 10) {
    switch_.flow(table, 1, kit::Match().with(Field::kActsetOutput, port), instructions);
  }

  kit::Switch switch_;
};

TEST_F(EgressTest, EachCopyPassesWithItsPort) {
  switch_.flow(0, 1, kit::any(), apply({output(2), output(3), output(ReservedPort::kInPort)}));
  on_way_to(2, apply({kit::set_field(Field::kEthDst, 0x020000000042)}));
  on_way_to(3, go(11));
  on_way_to(1, kit::clear());
  switch_.flow(11, 0, kit::any(), kit::write({kit::set_field(Field::kEthDst, 0x020000000043)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 0x42);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 0x43);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoOutput), 1u);
  EXPECT_EQ(switch_.pool.available(), 1024u);
}

TEST_F(EgressTest, WhatNoFlowMatchesIsDropped) {
  switch_.flow(0, 1, kit::any(), kit::write({output(2)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts(6, 0));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kTableMiss), 1u);
  first_egress(0);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[1], 1u);
}

TEST_F(EgressTest, FieldsOfThePipelineComeAlongAndThoseOfThePacketGoOn) {
  switch_.flow(0, 1, kit::any(), kit::join({apply({output(2)}), kit::metadata(7, 0xff), go(1)}));
  switch_.flow(1, 1, kit::any(), kit::join({apply({output(3)}), go(2)}));
  switch_.flow(2, 1, kit::Match().with(Field::kMetadata, 7), apply({output(4)}));
  on_way_to(2, kit::metadata(9, 0xff));
  switch_.flow(10, 5, kit::Match().with(Field::kMetadata, 7), {});
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 0, 0}));
}

TEST_F(EgressTest, GroupsFloodsAndNormalPassThemToo) {
  const Bytes to_two = output(2);
  switch_.group(ModCommand::kAdd, 1, GroupType::kIndirect, {BucketMod{.actions = to_two}});
  switch_.flow(0, 1, kit::on_port(1), apply({kit::group(1)}));
  switch_.flow(0, 1, kit::on_port(2), apply({output(ReservedPort::kAll)}));
  switch_.flow(0, 1, kit::on_port(3), apply({output(ReservedPort::kNormal)}));
  on_way_to(2, {});
  on_way_to(4, {});
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 0, 0, 0, 0}));
  switch_.receive(2, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 0, 0, 1, 0, 0}));
  switch_.receive(3, Udp{.source_mac = 9}.frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(switch_.pool.available(), 1024u);
}

TEST_F(EgressTest, TheActionSetOfIngressIsNotTouched) {
  switch_.flow(0, 1, kit::any(), kit::join({apply({output(2)}), kit::write({output(3)}), go(1)}));
  switch_.flow(1, 1, kit::any(), {});
  on_way_to(2, kit::write({kit::set_field(Field::kEthDst, 0x020000000042)}));
  on_way_to(3, {});
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 0x42);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 2);
}

TEST_F(EgressTest, TheActionSetOfIngressIsNotTouchedFromABucket) {
  const Bytes to_two = output(2);
  switch_.group(ModCommand::kAdd, 1, GroupType::kIndirect, {BucketMod{.actions = to_two}});
  // The set holds the output already when the group's packet goes its way.
  switch_.flow(0, 1, kit::any(), kit::join({kit::write({output(3)}), go(1)}));
  switch_.flow(1, 1, kit::any(), apply({kit::group(1)}));
  on_way_to(2, kit::write({kit::set_field(Field::kEthDst, 0x020000000042)}));
  on_way_to(3, {});
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 0x42);
  ASSERT_EQ(switch_.port(3).sent.size(), 1u);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 2);
}

TEST_F(EgressTest, FlowsSendToFurtherPortsThatPassTheTablesToo) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  on_way_to(2, apply({output(3), kit::set_field(Field::kEthDst, 0x020000000042)}));
  on_way_to(3, apply({kit::set_field(Field::kEthDst, 0x020000000043)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 0x42);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 0x43);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 0, 0, 0}));
  // What is not to leave by its own port may leave by another.
  on_way_to(2, kit::join({apply({output(3)}), kit::clear()}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(switch_.pool.available(), 1024u);
}

TEST_F(EgressTest, AFlowMirrorsWhatLeavesByAnyPortOnce) {
  switch_.flow(0, 1, kit::any(), apply({output(2), output(6)}));
  switch_.flow(10, 0, kit::any(), apply({output(6)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 0, 0, 0, 2}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kLoop), 2u);
}

TEST_F(EgressTest, GroupsAndFloodsOnTheWayOutSendCopies) {
  const Bytes to_three = output(3), to_four = kit::join({kit::set_field(Field::kEthDst, 0x020000000044), output(4)});
  switch_.group(ModCommand::kAdd, 1, GroupType::kAll, {BucketMod{.actions = to_three}, BucketMod{.actions = to_four}});
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  on_way_to(2, apply({kit::group(1)}));
  switch_.flow(10, 0, kit::any(), {});
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 2);
  EXPECT_EQ(switch_.port(4).sent.at(0)[5], 0x44);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 0, 0}));
  on_way_to(2, apply({output(ReservedPort::kAll)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kLoop), 0u);
}

TEST_F(EgressTest, ACircleOfPortsEnds) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  // From each port on to all others.
  switch_.flow(10, 0, kit::any(), apply({output(ReservedPort::kAll)}));
  switch_.receive(1, Udp().frame());
  const auto sent = switch_.sent();
  // 2, then every order of some of the four others: 1 + 4 + 12 + 24 + 24.
  EXPECT_EQ(std::accumulate(sent.begin(), sent.end(), std::size_t{0}), 65u);
  EXPECT_EQ(sent[1], 1u);
  EXPECT_EQ(switch_.pool.available(), 1024u);
}

}  // namespace
}  // namespace xvif
