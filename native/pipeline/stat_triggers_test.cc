#include "pipeline/stat_triggers.h"

#include <gtest/gtest.h>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::output;
using kit::trigger;
using kit::Udp;
constexpr std::uint64_t kSecond = kit::Switch::kSecond;
constexpr auto kPeriodic = static_cast<std::uint8_t>(StatTriggerFlag::kPeriodic);
constexpr auto kOnlyFirst = static_cast<std::uint8_t>(StatTriggerFlag::kOnlyFirst);

/// How often each cookie was told about, and with which packet counts.
struct Told final : FlowRemovedSink {
  void flow_removed(const FlowView&, FlowRemovedReason) override {}
  void flow_triggered(const FlowView& flow) override { packets.push_back(flow.packets); }
  std::vector<std::uint64_t> packets;
};

class StatTriggerTest : public testing::Test {
 protected:
  StatTriggerTest() { switch_.pipeline.on_flow_removed(&told_); }
  Status add(const kit::Bytes& instruction) {
    return switch_.flow(0, 1, kit::any(), kit::join({apply({output(2)}), instruction}));
  }
  void pass(unsigned packets) {
    for (; packets > 0; --packets) switch_.receive(1, Udp().frame());
  }
  /// What was told since the last time.
  std::vector<std::uint64_t> look() {
    switch_.pipeline.tick(switch_.now);
    return std::exchange(told_.packets, {});
  }
  using Counts = std::vector<std::uint64_t>;

  Told told_;
  kit::Switch switch_;
};

TEST_F(StatTriggerTest, TellsOnceWhenAThresholdIsReached) {
  ASSERT_EQ(add(trigger(0, {{Stat::kPacketCount, 3}})), Status::kOk);
  pass(2);
  EXPECT_EQ(look(), Counts());
  pass(2);
  EXPECT_EQ(look(), Counts{4});
  pass(10);
  EXPECT_EQ(look(), Counts());
}

TEST_F(StatTriggerTest, PeriodicTellsAtEachMultiple) {
  add(trigger(kPeriodic, {{Stat::kByteCount, 600}}));
  pass(10);
  EXPECT_EQ(look(), Counts{10});
  pass(9);
  EXPECT_EQ(look(), Counts());
  pass(1);
  EXPECT_EQ(look(), Counts{20});
  pass(35);  // over several multiples at once
  EXPECT_EQ(look(), Counts{55});
  pass(5);
  EXPECT_EQ(look(), Counts{60});
}

TEST_F(StatTriggerTest, OnlyTheFirstOfSeveralCounts) {
  add(trigger(kOnlyFirst, {{Stat::kPacketCount, 5}, {Stat::kDuration, 2 * kSecond}}));
  switch_.now += 3 * kSecond;
  EXPECT_EQ(look(), Counts{0});
  pass(9);
  EXPECT_EQ(look(), Counts());
  add(trigger(0, {{Stat::kPacketCount, 15}, {Stat::kDuration, 2 * kSecond}}));
  pass(9);
  EXPECT_EQ(look(), Counts{18});
  switch_.now += 3 * kSecond;
  EXPECT_EQ(look(), Counts{18});
}

TEST_F(StatTriggerTest, OnlyFirstAndPeriodicBeginAnewEachTime) {
  add(trigger(kOnlyFirst | kPeriodic, {{Stat::kPacketCount, 5}, {Stat::kDuration, 10 * kSecond}}));
  switch_.now += 9 * kSecond;
  pass(5);
  EXPECT_EQ(look(), Counts{5});
  switch_.now += 9 * kSecond;
  EXPECT_EQ(look(), Counts());
  switch_.now += kSecond;
  EXPECT_EQ(look(), Counts{5});
}

TEST_F(StatTriggerTest, IdlingIsToldEachTimeItBegins) {
  add(trigger(0, {{Stat::kIdleTime, 5 * kSecond}}));
  for (int round = 0; round < 2; ++round) {
    pass(1);
    EXPECT_EQ(look(), Counts());
    switch_.now += 6 * kSecond;
    EXPECT_EQ(look().size(), 1u);
    switch_.now += 6 * kSecond;
    EXPECT_EQ(look(), Counts());
  }
}

TEST_F(StatTriggerTest, WhatWasPassedBeforeIsNotTold) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  pass(7);
  const kit::Bytes instruction = trigger(kPeriodic, {{Stat::kPacketCount, 5}});
  FlowMod mod = kit::add(0, 1, kit::any(), instruction);
  mod.command = FlowCommand::kModify;
  switch_.flow(mod);
  EXPECT_EQ(look(), Counts());
  pass(3);
  EXPECT_EQ(look(), Counts{10});
}

TEST_F(StatTriggerTest, FlowsThatGoAreForgotten) {
  for (std::uint32_t port = 1; port <= 4; ++port) {
    switch_.flow(0, 1, kit::on_port(port), trigger(0, {{Stat::kPacketCount, 1}}));
  }
  FlowMod mod = kit::add(0, 1, kit::on_port(2), kit::Bytes());
  mod.command = FlowCommand::kDeleteStrict;
  switch_.flow(mod);
  for (std::uint32_t port = 1; port <= 4; ++port) switch_.receive(port, Udp().frame());
  EXPECT_EQ(look(), Counts({1, 1, 1}));
}

TEST_F(StatTriggerTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(add(trigger(0, {{Stat::kPacketCount, 0}})), Status::kBadAction);
  EXPECT_EQ(add(trigger(0, {{Stat::kPacketCount, 1}, {Stat::kPacketCount, 2}})), Status::kBadAction);
  EXPECT_EQ(add(trigger(0, {{static_cast<Stat>(3), 1}})), Status::kBadAction);
  EXPECT_EQ(add(trigger(4, {{Stat::kPacketCount, 1}})), Status::kBadAction);
  EXPECT_EQ(add(trigger(0, {})), Status::kOk);
}

TEST_F(StatTriggerTest, ARolledBackBatchLeavesThemAsTheyWere) {
  const kit::Bytes periodic = kit::join({apply({output(2)}), trigger(kPeriodic, {{Stat::kPacketCount, 5}})});
  switch_.flow(0, 1, kit::any(), periodic);
  pass(4);
  EXPECT_EQ(look(), Counts());
  pass(3);
  for (const FlowCommand command : {FlowCommand::kAdd, FlowCommand::kModify, FlowCommand::kDelete}) {
    switch_.pipeline.begin(switch_.now, true);
    FlowMod mod = kit::add(0, 1, kit::any(), periodic);
    mod.command = command;
    EXPECT_EQ(switch_.pipeline.flow_mod(mod), Status::kOk);
    switch_.pipeline.rollback();
  }
  // What was passed before the batches is told yet.
  EXPECT_EQ(look(), Counts{7});
  const kit::Bytes once = kit::join({apply({output(2)}), trigger(kOnlyFirst, {{Stat::kPacketCount, 9}})});
  switch_.flow(0, 1, kit::any(), once);
  pass(2);
  EXPECT_EQ(look(), Counts{9});
  switch_.pipeline.begin(switch_.now, true);
  EXPECT_EQ(switch_.pipeline.flow_mod(kit::add(0, 1, kit::any(), once)), Status::kOk);
  switch_.pipeline.rollback();
  pass(20);
  EXPECT_EQ(look(), Counts());
}

}  // namespace
}  // namespace xvif
