// Tables whose flows are deleted all at once, and how removed flows are told of.
#include <gtest/gtest.h>

#include <vector>

#include "pipeline/flow_tables.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;
constexpr std::uint64_t kSecond = kit::Switch::kSecond;
constexpr auto kSendFlowRem = static_cast<std::uint16_t>(FlowFlag::kSendFlowRem);

class ClearTest : public testing::Test, private FlowRemovedSink {
 protected:
  ClearTest() { switch_.pipeline.on_flow_removed(this); }
  bool has_room() const override { return told_.size() < room_; }
  void flow_removed(const FlowView& view, FlowRemovedReason reason) override {
    told_.push_back(view.flow.cookie);
    packets_ += view.packets;
    reasons_ += reason == FlowRemovedReason::kDelete;
  }

  /// Flow `n` is about IPv4 address n, with n as its cookie.
  FlowMod flow(std::uint16_t n, std::uint16_t flags = 0, std::uint8_t table = 0) {
    FlowMod mod = kit::add(table, 1, kit::to_ipv4(n), instructions_);
    mod.cookie = n;
    mod.flags = flags;
    return mod;
  }
  FlowMod clear(std::uint8_t table = kAllTables) {
    FlowMod mod = kit::add(table, 0, kit::any(), {});
    mod.command = FlowCommand::kDelete;
    return mod;
  }
  void add(std::uint16_t count, std::uint16_t flags = 0) {
    for (std::uint16_t n = 0; n < count; ++n) ASSERT_EQ(switch_.flow(flow(n, flags)), Status::kOk);
  }
  std::size_t rules() const { return switch_.pipeline.flows().rules(); }
  std::size_t leftovers() const { return switch_.pipeline.flows().cleared() + switch_.epoch.pending(); }
  void tidy() {
    for (int i = 0; i < 1000 && switch_.pipeline.is_untidy(switch_.now); ++i) switch_.pipeline.tidy(switch_.now);
    switch_.pipeline.tick(switch_.now);
    switch_.pipeline.tick(switch_.now);
  }

  kit::Switch switch_;
  Bytes instructions_ = apply({output(2)});
  std::vector<std::uint64_t> told_;
  std::size_t room_ = ~std::size_t{0};
  std::uint64_t packets_ = 0;
  std::size_t reasons_ = 0;
};

TEST_F(ClearTest, EmptiesOneTableOrAll) {
  add(10);
  switch_.flow(flow(1, 0, 3));
  switch_.flow(flow(2, 0, 3));
  switch_.flow(clear(0));
  EXPECT_EQ(rules(), 2u);
  EXPECT_EQ(switch_.pipeline.flows().size(0), 0u);
  EXPECT_EQ(switch_.flows().size(), 2u);
  add(10);
  EXPECT_EQ(switch_.flows().size(), 12u);
  switch_.flow(clear());
  EXPECT_EQ(rules(), 0u);
  EXPECT_TRUE(switch_.flows().empty());
  EXPECT_TRUE(told_.empty());
}

TEST_F(ClearTest, FreesInSlicesAndLeavesNothingBehind) {
  std::size_t empty = 0;
  for (int round = 0; round < 4; ++round) {
    add(20'000);
    switch_.flow(clear());
    EXPECT_EQ(rules(), 0u);
    EXPECT_GT(leftovers(), 10'000u) << "who deletes does not wait";
    EXPECT_TRUE(switch_.pipeline.is_untidy(switch_.now));
    tidy();
    EXPECT_EQ(leftovers(), 0u);
    EXPECT_FALSE(switch_.pipeline.is_untidy(switch_.now));
    const std::size_t bytes = switch_.pipeline.flows().bytes();
    if (round == 0) empty = bytes;
    EXPECT_EQ(bytes, empty);
  }
  EXPECT_LE(empty, std::size_t{3} * 1024 * 1024);
}

TEST_F(ClearTest, WhoFillsAndClearsWithoutPauseLeavesNoMoreBehindEachTime) {
  for (int round = 0; round < 10; ++round) {
    add(5'000);
    EXPECT_EQ(leftovers(), 0u) << "adding frees faster than it adds";
    switch_.flow(clear());
  }
}

TEST_F(ClearTest, TellsOfFlowsThatAskedForItInTheirOrder) {
  room_ = 3000;
  for (std::uint16_t n = 0; n < 10'000; ++n) switch_.flow(flow(n, n % 2 == 0 ? kSendFlowRem : 0));
  kit::Udp udp;
  udp.destination = 4;
  switch_.receive(1, udp.frame());
  switch_.flow(clear());
  add(10, kSendFlowRem);
  switch_.flow(clear());
  EXPECT_LE(told_.size(), 3000u);
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 1000 && all.size() < 5'010; ++i) {
    all.insert(all.end(), told_.begin(), told_.end());
    told_.clear();
    switch_.pipeline.tidy(switch_.now);
    EXPECT_LE(told_.size(), 3000u);
  }
  ASSERT_EQ(all.size(), 5'010u);
  for (std::size_t i = 0; i < 5'000; ++i) ASSERT_EQ(all[i], 2 * i);
  for (std::size_t i = 0; i < 10; ++i) ASSERT_EQ(all[5'000 + i], i);
  EXPECT_EQ(packets_, 1u);
  EXPECT_EQ(reasons_, 5'010u);
  tidy();
  EXPECT_EQ(leftovers(), 0u);
}

TEST_F(ClearTest, OneThatWasRemovedBeforeIsToldOfBefore) {
  room_ = 0;
  add(100, kSendFlowRem);
  FlowMod one = flow(42);
  one.command = FlowCommand::kDeleteStrict;
  switch_.flow(one);
  // Nothing of this is told of; the flow above is, later, and what it matched has to be known then.
  FlowMod silent = clear();
  silent.flags = static_cast<std::uint16_t>(FlowFlag::kSilent);
  switch_.flow(silent);
  tidy();
  EXPECT_TRUE(told_.empty());
  room_ = 10;
  tidy();
  EXPECT_EQ(told_, std::vector<std::uint64_t>{42});
  EXPECT_EQ(leftovers(), 0u);
}

TEST_F(ClearTest, WhatIsNotToldYetGoesWithTheSwitch) {
  room_ = 1;
  add(100, kSendFlowRem);
  FlowMod one = flow(42);
  one.command = FlowCommand::kDeleteStrict;
  switch_.flow(one);
  one = flow(43);
  one.command = FlowCommand::kDeleteStrict;
  switch_.flow(one);
  switch_.flow(clear());
  EXPECT_EQ(told_, std::vector<std::uint64_t>{42});
}

/// That nothing of it is left is asserted by the arena.
TEST_F(ClearTest, ATableOfWhichAPartWasToldGoesWhole) {
  room_ = 50;
  add(100, kSendFlowRem);
  switch_.flow(clear());
  EXPECT_EQ(told_.size(), 50u);
}

TEST_F(ClearTest, ReferencesGoAtOnce) {
  switch_.group(ModCommand::kAdd, 5, GroupType::kAll, {});
  switch_.meter(ModCommand::kAdd, 6, static_cast<std::uint16_t>(MeterFlag::kPktps), {{1, 0, 100, 0}});
  instructions_ = kit::join({kit::meter(6), apply({kit::group(5)})});
  add(100);
  EXPECT_EQ(switch_.pipeline.groups().references(5), 100u);
  EXPECT_EQ(switch_.pipeline.meters().references(6), 100u);
  switch_.flow(clear());
  EXPECT_EQ(switch_.pipeline.groups().references(5), 0u);
  EXPECT_EQ(switch_.pipeline.meters().references(6), 0u);
}

TEST_F(ClearTest, RollbackBringsEverythingBack) {
  switch_.group(ModCommand::kAdd, 5, GroupType::kAll, {});
  instructions_ = apply({kit::group(5)});
  add(50, kSendFlowRem);
  FlowMod timed = flow(50, kSendFlowRem);
  timed.hard_timeout = 10;
  switch_.flow(timed);
  for (int round = 0; round < 3; ++round) {
    switch_.pipeline.begin(switch_.now, true);
    FlowMod one = flow(7);
    one.command = FlowCommand::kDeleteStrict;
    switch_.pipeline.flow_mod(one);
    switch_.pipeline.flow_mod(clear());
    EXPECT_EQ(rules(), 0u);
    EXPECT_EQ(switch_.pipeline.groups().references(5), 0u);
    FlowMod again = timed;
    again.hard_timeout = 1;
    switch_.pipeline.flow_mod(again);
    switch_.pipeline.flow_mod(flow(7));
    switch_.pipeline.flow_mod(clear());
    switch_.pipeline.flow_mod(flow(8));
    switch_.pipeline.rollback();
    EXPECT_EQ(rules(), 51u);
    EXPECT_EQ(switch_.flows().size(), 51u);
    EXPECT_EQ(switch_.pipeline.groups().references(5), 51u);
  }
  switch_.now += 2 * kSecond;
  tidy();
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(leftovers(), 0u);
  switch_.now += 9 * kSecond;
  tidy();
  EXPECT_EQ(told_, std::vector<std::uint64_t>{50});
  switch_.flow(clear());
  EXPECT_EQ(told_.size(), 51u);
  EXPECT_EQ(reasons_, 50u);
}

TEST_F(ClearTest, TimersOfClearedFlowsDoNotFireNorPileUp) {
  for (std::uint16_t round = 0; round < 5; ++round) {
    for (std::uint16_t n = 0; n < 3000; ++n) {
      FlowMod mod = flow(n);
      mod.hard_timeout = 60'000;
      switch_.flow(mod);
    }
    switch_.flow(clear());
    EXPECT_TRUE(switch_.pipeline.flows().expires(switch_.now)) << "stale timers are cleared away";
    tidy();
    EXPECT_FALSE(switch_.pipeline.flows().expires(switch_.now));
  }
  add(10, kSendFlowRem);
  switch_.now += 100'000 * kSecond;
  tidy();
  EXPECT_EQ(rules(), 10u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ClearTest, ManyFlowsThatExpireAtOnceDoSoInSlices) {
  for (std::uint16_t n = 0; n < 20'000; ++n) {
    FlowMod mod = flow(n, kSendFlowRem);
    mod.hard_timeout = 1;
    switch_.flow(mod);
  }
  switch_.now += 2 * kSecond;
  switch_.pipeline.tick(switch_.now);
  EXPECT_GT(rules(), 0u);
  tidy();
  EXPECT_EQ(rules(), 0u);
  ASSERT_EQ(told_.size(), 20'000u);
  EXPECT_EQ(leftovers(), 0u);
}

TEST_F(ClearTest, ATableThatEvictsGoesOnDoingSo) {
  TableConfig config;
  config.max_entries = 4;
  config.eviction = static_cast<std::uint8_t>(EvictionFlag::kImportance);
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.table_config(0, config);
  switch_.pipeline.publish();
  add(6);
  EXPECT_EQ(rules(), 4u);
  switch_.pipeline.begin(switch_.now, true);
  switch_.pipeline.flow_mod(clear());
  switch_.pipeline.flow_mod(flow(9));
  switch_.pipeline.rollback();
  switch_.flow(flow(10));
  EXPECT_EQ(rules(), 4u);
  switch_.flow(clear());
  EXPECT_EQ(rules(), 0u);
  add(6);
  EXPECT_EQ(rules(), 4u);
}

TEST_F(ClearTest, GroupsOfATableThatEvictedGoInSlices) {
  TableConfig config;
  config.eviction = static_cast<std::uint8_t>(EvictionFlag::kImportance);
  config.groups = kit::Match().with(Field::kEthType, ~0u).with(Field::kIpv4Dst, ~0u).value;
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.table_config(0, config);
  switch_.pipeline.publish();
  add(10'000);
  switch_.flow(clear());
  EXPECT_GT(leftovers(), 19'000u) << "each flow is a group";
  std::size_t before = leftovers();
  for (int i = 0; i < 100 && leftovers() > 0; ++i) {
    switch_.pipeline.tidy(switch_.now);
    EXPECT_LE(before - leftovers(), 2048u);
    before = leftovers();
  }
  EXPECT_EQ(leftovers(), 0u);
  add(10);
  EXPECT_EQ(rules(), 10u);
}

TEST_F(ClearTest, AnotherBridgeThatReclaimsLeavesNothingUnsettled) {
  Pipeline other(switch_.epoch, 1, 8);
  add(10);
  switch_.epoch.online(0);
  FlowMod one = flow(1);
  one.command = FlowCommand::kDeleteStrict;
  switch_.flow(one);
  switch_.epoch.offline(0);
  other.tidy(switch_.now);
  ASSERT_TRUE(switch_.pipeline.flows().is_unsettled()) << "unlinked by the other";
  switch_.pipeline.tidy(switch_.now);
  EXPECT_FALSE(switch_.pipeline.flows().is_unsettled());
}

TEST(ClearedCounters, AreUsedAgainBeforeThereAreNone) {
  Epoch epoch;
  Versions versions(epoch);
  Counters counters(1);
  PortTable ports(epoch, 1);
  MeterTable meters(epoch, versions, counters);
  GroupTable groups(epoch, versions, counters, ports, meters);
  FlowTables flows(epoch, versions, counters, groups, meters, 7);
  const Bytes instructions = apply({output(2)});
  const Bytes none;
  const auto run = [&](std::uint16_t first, std::uint16_t end, FlowCommand command) {
    versions.begin(false);
    for (std::uint16_t n = first; n < end; ++n) {
      const bool adds = command == FlowCommand::kAdd;
      FlowMod mod = kit::add(0, 1, adds ? kit::to_ipv4(n) : kit::any(), adds ? instructions : none);
      mod.command = command;
      ASSERT_EQ(flows.apply(mod, 0), Status::kOk);
    }
    flows.settle();
    versions.publish();
    epoch.drain();
    flows.announce(~std::size_t{0});
  };
  run(0, 20'000, FlowCommand::kAdd);
  run(0, 1, FlowCommand::kDelete);
  while (counters.allocate() != kNoCounter) {
  }
  run(0, 1, FlowCommand::kAdd);
  EXPECT_EQ(flows.cleared(), 20'000u - 4'096u) << "no more than it needs, as a batch is open";
  run(1, 10'000, FlowCommand::kAdd);
  EXPECT_EQ(flows.rules(), 10'000u);
}

}  // namespace
}  // namespace xvif
