// What flow_mods mean, timeouts, atomic batches, reading.
#include "pipeline/flow_tables.h"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <set>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::go;
using kit::output;
using kit::Udp;
constexpr std::uint64_t kSecond = kit::Switch::kSecond;

struct Removed {
  std::uint64_t cookie, packets, bytes, duration_ns;
  FlowRemovedReason reason;
};

class FlowTest : public testing::Test, private FlowRemovedSink {
 protected:
  FlowTest() { switch_.pipeline.on_flow_removed(this); }
  void flow_removed(const FlowView& view, FlowRemovedReason reason) override {
    removed_.push_back({view.flow.cookie, view.packets, view.bytes, view.duration_ns, reason});
  }
  FlowMod mod(FlowCommand command, std::uint8_t table, std::uint16_t priority, const kit::Match& match,
              const Bytes& instructions = {}) {
    kept_.push_back(instructions);
    FlowMod out = kit::add(table, priority, match, kept_.back());
    out.command = command;
    return out;
  }
  FlowMod add(std::uint16_t priority, const kit::Match& match, std::uint64_t cookie = 0, std::uint16_t flags = 0) {
    FlowMod out = mod(FlowCommand::kAdd, 0, priority, match, apply({output(2)}));
    out.cookie = cookie;
    out.flags = flags;
    return out;
  }
  std::multiset<std::uint64_t> cookies(const FlowFilter& filter = {}) const {
    std::multiset<std::uint64_t> out;
    for (const FlowView& view : switch_.flows(filter)) out.insert(view.flow.cookie);
    return out;
  }
  void receive(std::size_t packets) {
    for (std::size_t i = 0; i < packets; ++i) switch_.receive(1, Udp().frame());
    switch_.sent();
  }
  static constexpr std::uint16_t flag(FlowFlag one) { return static_cast<std::uint16_t>(one); }
  using Cookies = std::multiset<std::uint64_t>;

  kit::Switch switch_;
  std::vector<Removed> removed_;
  std::list<Bytes> kept_;
};

TEST_F(FlowTest, AddReplacesTheIdenticalAndKeepsCounts) {
  switch_.flow(add(5, kit::any(), 1, flag(FlowFlag::kSendFlowRem)));
  receive(3);
  switch_.now += kSecond;
  switch_.flow(add(5, kit::any(), 2));
  auto flows = switch_.flows();
  ASSERT_EQ(flows.size(), 1u);
  EXPECT_EQ(flows[0].flow.cookie, 2u);
  EXPECT_EQ(flows[0].packets, 3u);
  EXPECT_EQ(flows[0].bytes, 180u);
  EXPECT_EQ(flows[0].duration_ns, 0u);
  switch_.flow(add(5, kit::any(), 3, flag(FlowFlag::kResetCounts)));
  EXPECT_EQ(switch_.flows().at(0).packets, 0u);
  EXPECT_TRUE(removed_.empty());
  switch_.pipeline.tick(switch_.now);
  receive(2);
  EXPECT_EQ(switch_.flows().at(0).packets, 2u);
}

TEST_F(FlowTest, ChecksOverlap) {
  const auto tcp = kit::Match().with(Field::kEthType, 0x0800).with(Field::kIpProto, 6);
  switch_.flow(add(5, tcp));
  const auto port = kit::on_port(3);
  EXPECT_EQ(switch_.flow(add(5, port, 0, flag(FlowFlag::kCheckOverlap))), Status::kOverlap);
  EXPECT_EQ(switch_.flow(add(5, tcp, 0, flag(FlowFlag::kCheckOverlap))), Status::kOverlap);
  EXPECT_EQ(switch_.flow(add(6, port, 0, flag(FlowFlag::kCheckOverlap))), Status::kOk);
  const auto udp = kit::Match().with(Field::kEthType, 0x0800).with(Field::kIpProto, 17);
  EXPECT_EQ(switch_.flow(add(5, udp, 0, flag(FlowFlag::kCheckOverlap))), Status::kOk);
}

TEST_F(FlowTest, RefusesWhatItCannotCarryOut) {
  const auto refused = [&](const FlowMod& one) {
    const Status status = switch_.flow(one);
    EXPECT_EQ(switch_.flows().size(), 0u);
    return status;
  };
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 254, 1, kit::any())), Status::kBadTable);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, kAllTables, 1, kit::any())), Status::kBadTable);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), go(3))), Status::kBadTable);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), go(2))), Status::kBadTable);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), go(254))), Status::kBadTable);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), apply({kit::group(1)}))), Status::kUnknownGroup);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), kit::meter(1))), Status::kUnknownMeter);
  EXPECT_EQ(refused(mod(FlowCommand::kAdd, 3, 1, kit::any(), Bytes(8, 0xff))), Status::kMalformed);
  EXPECT_EQ(refused(mod(static_cast<FlowCommand>(9), 3, 1, kit::any())), Status::kMalformed);
}

TEST_F(FlowTest, ModifyChangesInstructionsOnly) {
  FlowMod first = add(5, kit::to_ipv4(0x0a000002), 1);
  first.idle_timeout = 10;
  switch_.flow(first);
  switch_.flow(add(6, kit::to_ipv4(0x0a000000, 0xff000000), 2));
  receive(2);
  FlowMod change = mod(FlowCommand::kModify, 0, 0, kit::to_ipv4(0x0a000000, 0xffff0000), apply({output(3)}));
  change.cookie = 99;
  EXPECT_EQ(switch_.flow(change), Status::kOk);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[1], 1u) << "the wider match was not selected";
  switch_.flow(mod(FlowCommand::kModify, 0, 0, kit::any(), apply({output(4)})));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[3], 1u);
  EXPECT_EQ(cookies(), Cookies({1, 2}));
  for (const FlowView& view : switch_.flows()) {
    EXPECT_EQ(view.packets, view.flow.cookie == 2 ? 4u : 0u);
    EXPECT_EQ(view.flow.idle_timeout, view.flow.cookie == 1 ? 10 : 0);
  }
  EXPECT_EQ(switch_.flow(mod(FlowCommand::kModifyStrict, 0, 9, kit::any(), {})), Status::kOk);
  EXPECT_EQ(switch_.flows().size(), 2u);
}

TEST_F(FlowTest, ModifyHonoursCookieAndResetCounts) {
  switch_.flow(add(5, kit::any(), 0x10));
  receive(4);
  FlowMod change = mod(FlowCommand::kModifyStrict, 0, 5, kit::any(), apply({output(3)}));
  change.cookie = 0x20;
  change.cookie_mask = 0xf0;
  switch_.flow(change);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[1], 1u);
  change.cookie = 0x1f;
  change.flags = flag(FlowFlag::kResetCounts);
  switch_.flow(change);
  EXPECT_EQ(switch_.flows().at(0).packets, 0u);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[2], 1u);
  EXPECT_EQ(switch_.flows().at(0).packets, 1u);
}

TEST_F(FlowTest, DeletesBySubsetCookieAndOutput) {
  switch_.flow(add(1, kit::any(), 1));
  switch_.flow(add(2, kit::on_port(1), 2));
  FlowMod three = add(3, kit::on_port(1).with(Field::kEthType, 0x0806), 3);
  const Bytes to_five = apply({output(5)});
  three.instructions = to_five;
  switch_.flow(three);
  FlowMod other = add(4, kit::on_port(2), 4);
  other.table = 7;
  switch_.flow(other);
  FlowMod erase = mod(FlowCommand::kDelete, 0, 0, kit::on_port(1));
  erase.out_port = 5;
  switch_.flow(erase);
  EXPECT_EQ(cookies(), Cookies({1, 2, 4}));
  erase = mod(FlowCommand::kDeleteStrict, 0, 1, kit::on_port(1));
  switch_.flow(erase);
  EXPECT_EQ(cookies(), Cookies({1, 2, 4}));
  erase.priority = 2;
  switch_.flow(erase);
  EXPECT_EQ(cookies(), Cookies({1, 4}));
  erase = mod(FlowCommand::kDelete, kAllTables, 0, kit::any());
  erase.cookie = 4;
  erase.cookie_mask = ~0ull;
  switch_.flow(erase);
  EXPECT_EQ(cookies(), Cookies({1}));
  switch_.flow(mod(FlowCommand::kDelete, kAllTables, 0, kit::any()));
  EXPECT_TRUE(cookies().empty());
  EXPECT_EQ(switch_.pipeline.flows().rules(), 0u);
}

TEST_F(FlowTest, TellsRemovedFlowsWithTheirCounts) {
  switch_.flow(add(1, kit::any(), 8, flag(FlowFlag::kSendFlowRem)));
  receive(5);
  switch_.now += 3 * kSecond;
  switch_.flow(mod(FlowCommand::kDelete, 0, 0, kit::any()));
  ASSERT_EQ(removed_.size(), 1u);
  EXPECT_EQ(removed_[0].cookie, 8u);
  EXPECT_EQ(removed_[0].packets, 5u);
  EXPECT_EQ(removed_[0].bytes, 300u);
  EXPECT_EQ(removed_[0].duration_ns, 3 * kSecond);
  EXPECT_EQ(removed_[0].reason, FlowRemovedReason::kDelete);
}

TEST_F(FlowTest, ReusedCountersStartAtZero) {
  for (int i = 0; i < 5; ++i) {
    switch_.flow(add(1, kit::any(), 8));
    EXPECT_EQ(switch_.flows().at(0).packets, 0u);
    receive(5);
    switch_.flow(mod(FlowCommand::kDelete, 0, 0, kit::any()));
    switch_.pipeline.tick(switch_.now);
    switch_.pipeline.tick(switch_.now);
  }
}

TEST_F(FlowTest, CountFlagsHideCounts) {
  switch_.flow(add(1, kit::any(), 1, flag(FlowFlag::kNoPktCounts)));
  receive(2);
  EXPECT_EQ(switch_.flows().at(0).packets, 0u);
  EXPECT_EQ(switch_.flows().at(0).bytes, 120u);
}

TEST_F(FlowTest, HardAndIdleTimeouts) {
  FlowMod hard = add(5, kit::on_port(2), 1, flag(FlowFlag::kSendFlowRem));
  hard.hard_timeout = 10;
  FlowMod idle = add(4, kit::on_port(1), 2, flag(FlowFlag::kSendFlowRem));
  idle.idle_timeout = 4;
  switch_.flow(hard);
  switch_.flow(idle);
  for (int second = 0; second < 9; ++second) {
    switch_.now += kSecond;
    receive(1);
    switch_.pipeline.tick(switch_.now);
  }
  EXPECT_TRUE(removed_.empty()) << "traffic keeps an idle flow";
  switch_.now += kSecond;
  switch_.pipeline.tick(switch_.now);
  ASSERT_EQ(removed_.size(), 1u);
  EXPECT_EQ(removed_[0].reason, FlowRemovedReason::kHardTimeout);
  switch_.now += 3 * kSecond - 1;
  switch_.pipeline.tick(switch_.now);
  EXPECT_EQ(removed_.size(), 1u);
  switch_.now += 1;
  switch_.pipeline.tick(switch_.now);
  ASSERT_EQ(removed_.size(), 2u);
  EXPECT_EQ(removed_[1].reason, FlowRemovedReason::kIdleTimeout);
  EXPECT_EQ(removed_[1].duration_ns, 13 * kSecond);
  EXPECT_EQ(switch_.pipeline.flows().rules(), 0u);
}

TEST_F(FlowTest, ManyTimersOfReplacedFlowsDoNotPileUp) {
  FlowMod hard = add(5, kit::any(), 1);
  hard.hard_timeout = 65535;
  for (int i = 0; i < 20'000; ++i) {
    switch_.flow(hard);
    if (i % 1000 == 0) switch_.pipeline.tick(switch_.now);
  }
  hard.hard_timeout = 1;
  switch_.flow(hard);
  switch_.now += 2 * kSecond;
  switch_.pipeline.tick(switch_.now);
  EXPECT_EQ(switch_.pipeline.flows().rules(), 0u);
  while (switch_.pipeline.tidy(switch_.now)) {
  }
  EXPECT_FALSE(switch_.pipeline.flows().expires(~0ull - 1)) << "stale entries were swept";
}

TEST_F(FlowTest, AtomicBatchIsAllOrNothing) {
  Pipeline& pipeline = switch_.pipeline;
  FlowMod first = add(1, kit::any(), 1, flag(FlowFlag::kSendFlowRem));
  first.idle_timeout = 5;
  switch_.flow(first);
  receive(2);
  const Bytes to_three = output(3);
  pipeline.begin(switch_.now, true);
  EXPECT_EQ(pipeline.group_mod({ModCommand::kAdd, 0, 4, {{.actions = to_three}}}), Status::kOk);
  EXPECT_EQ(pipeline.flow_mod(add(1, kit::any(), 2)), Status::kOk);
  EXPECT_EQ(pipeline.flow_mod(add(2, kit::on_port(1), 3)), Status::kOk);
  EXPECT_EQ(pipeline.flow_mod(mod(FlowCommand::kModify, 0, 0, kit::any(), apply({kit::group(4)}))), Status::kOk);
  EXPECT_EQ(pipeline.flow_mod(mod(FlowCommand::kDelete, 0, 0, kit::any())), Status::kOk);
  EXPECT_EQ(pipeline.flow_mod(add(2, kit::on_port(1), 5)), Status::kOk);
  EXPECT_EQ(pipeline.group_mod({ModCommand::kDelete, 0, kGroupAll, {}}), Status::kOk);
  EXPECT_EQ(pipeline.meter_mod({ModCommand::kAdd, 6, 0, {{.type = 1, .rate = 1}}}), Status::kOk);
  EXPECT_EQ(pipeline.port_config(PortNo{2}, 1, 1), Status::kOk);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.sent()[1], 1u) << "nothing is visible before it is published";
  pipeline.rollback();
  pipeline.tick(switch_.now);
  EXPECT_EQ(cookies(), Cookies({1}));
  EXPECT_EQ(pipeline.flows().rules(), 1u);
  EXPECT_FALSE(pipeline.groups().exists(4));
  EXPECT_EQ(pipeline.groups().references(4), 0u);
  EXPECT_FALSE(pipeline.meters().exists(6));
  receive(1);
  EXPECT_EQ(switch_.flows().at(0).packets, 4u);
  EXPECT_TRUE(removed_.empty());
  switch_.now += 6 * kSecond;
  pipeline.tick(switch_.now);
  ASSERT_EQ(removed_.size(), 1u) << "the timer was armed again";
  EXPECT_EQ(removed_[0].packets, 4u);
}

TEST_F(FlowTest, ReadsInPartsWhileFlowsChange) {
  for (std::uint32_t i = 0; i < 500; ++i) {
    FlowMod one = add(1, kit::to_ipv4(i), i);
    one.table = static_cast<std::uint8_t>(i % 3 * 100);
    switch_.flow(one);
  }
  std::map<std::uint64_t, int> seen;
  std::uint64_t cursor = 0;
  for (bool done = false; !done;) {
    int room = 7;
    done = switch_.pipeline.flows().read({}, switch_.now, cursor, [&](const FlowView& view) {
      if (room-- == 0) return false;
      ++seen[view.flow.cookie];
      return true;
    });
    FlowMod change = mod(FlowCommand::kModify, 100, 0, kit::any(), apply({output(3)}));
    switch_.flow(change);
    switch_.flow(add(9, kit::to_ipv4(10'000), 10'000));
    switch_.flow(mod(FlowCommand::kDelete, 0, 0, kit::to_ipv4(10'000)));
  }
  seen.erase(10'000);
  EXPECT_EQ(seen.size(), 500u);
  for (const auto& [cookie, times] : seen) EXPECT_EQ(times, 1) << cookie;
}

TEST_F(FlowTest, FiltersStatistics) {
  switch_.flow(add(1, kit::any(), 1));
  switch_.flow(add(2, kit::to_ipv4(0x0a000001), 2));
  FlowFilter filter;
  const kit::Match net = kit::to_ipv4(0x0a000000, 0xff000000);
  filter.value = net.value;
  filter.mask = net.mask;
  EXPECT_EQ(cookies(filter), Cookies({2}));
  filter = {};
  filter.cookie = filter.cookie_mask = 1;
  EXPECT_EQ(cookies(filter), Cookies({1}));
  filter = {};
  filter.out_port = 3;
  EXPECT_TRUE(cookies(filter).empty());
  filter.out_port = 2;
  filter.table = 1;
  EXPECT_TRUE(cookies(filter).empty());
}

// A sanitizer's own memory would be measured.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(FlowTest, MillionExactRulesTakeFewBytes) {
  constexpr std::uint32_t kFlows = 1'000'000;
  const Bytes out = apply({output(2)});
  switch_.pipeline.begin(switch_.now, false);
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    kit::Match match = kit::to_ipv4(i);
    match.with(Field::kIpv4Src, ~i).with(Field::kIpProto, 17).with(Field::kUdpSrc, i).with(Field::kUdpDst, i >> 8);
    match.with(Field::kInPort, 1);
    ASSERT_EQ(switch_.pipeline.flow_mod(kit::add(0, 1, match, out)), Status::kOk);
  }
  switch_.pipeline.publish();
  const double counters = sizeof(Count);
  const double each = static_cast<double>(switch_.pipeline.flows().bytes()) / kFlows + counters;
  RecordProperty("bytes_per_flow", std::to_string(each));
  EXPECT_LE(each, 200);
}
#endif

class Watched : public FlowTest, private FlowChangeSink {
 protected:
  Watched() { switch_.pipeline.on_flow_changed(this); }
  ~Watched() override { switch_.pipeline.on_flow_changed(nullptr); }
  void flow_changed(const FlowView& view, FlowChange event, FlowRemovedReason, const Flow* before) override {
    changes_.push_back({event, view.flow.cookie, before == nullptr ? 0 : before->cookie});
  }
  struct Change {
    FlowChange event;
    std::uint64_t cookie, before;
    bool operator==(const Change&) const = default;
  };
  void configure(std::uint32_t max_entries, unsigned eviction) {
    switch_.pipeline.begin(switch_.now, false);
    const TableConfig config{.max_entries = max_entries, .eviction = static_cast<std::uint8_t>(eviction)};
    EXPECT_EQ(switch_.pipeline.table_config(0, config), Status::kOk);
    EXPECT_EQ(switch_.pipeline.table_config(254, config), Status::kBadTable);
    switch_.pipeline.publish();
  }
  std::vector<Change> changes_;
};

TEST_F(Watched, AFullTableLetsTheLeastImportantFlowGo) {
  const auto important = [&](std::uint16_t n, std::uint16_t importance) {
    FlowMod out = add(n, kit::on_port(n), n, flag(FlowFlag::kSendFlowRem));
    out.importance = importance;
    return switch_.flow(out);
  };
  configure(2, 0);
  EXPECT_EQ(important(1, 5), Status::kOk);
  EXPECT_EQ(important(2, 4), Status::kOk);
  EXPECT_EQ(important(3, 9), Status::kTableFull);
  configure(2, static_cast<unsigned>(EvictionFlag::kImportance));
  EXPECT_EQ(important(3, 3), Status::kTableFull);
  EXPECT_EQ(important(3, 4), Status::kOk);
  EXPECT_EQ(cookies(), Cookies({1, 3}));
  ASSERT_EQ(removed_.size(), 1u);
  EXPECT_EQ(removed_[0].reason, FlowRemovedReason::kEviction);
  configure(1, static_cast<unsigned>(EvictionFlag::kImportance));
  EXPECT_EQ(cookies(), Cookies({1}));
  using enum FlowChange;
  EXPECT_EQ(changes_,
            std::vector<Change>({{kAdded, 1, 0}, {kAdded, 2, 0}, {kRemoved, 2, 0}, {kAdded, 3, 0}, {kRemoved, 3, 0}}));
}

TEST_F(Watched, ABatchThatIsRolledBackLeavesTablesAsTheyWereSet) {
  configure(1, 0);
  ASSERT_EQ(switch_.flow(add(1, kit::on_port(1), 1)), Status::kOk);
  Pipeline& pipeline = switch_.pipeline;
  pipeline.begin(switch_.now, true);
  const TableConfig evicting{.eviction = static_cast<std::uint8_t>(EvictionFlag::kImportance)};
  EXPECT_EQ(pipeline.table_config(0, evicting), Status::kOk);
  pipeline.rollback();
  EXPECT_EQ(pipeline.flows().config(0).eviction, 0);
  EXPECT_EQ(switch_.flow(add(2, kit::on_port(2), 2)), Status::kTableFull);
}

TEST_F(Watched, AnIdleFlowThatIsUsedIsNotTheFirstToGo) {
  const auto idle = [&](std::uint16_t n) {
    FlowMod out = add(n, kit::on_port(n), n);
    out.idle_timeout = 10;
    return switch_.flow(out);
  };
  configure(2, static_cast<unsigned>(EvictionFlag::kLifetime));
  idle(1);
  switch_.now += kSecond;
  idle(2);
  switch_.now += kSecond;
  receive(1);  // at port 1
  idle(3);
  EXPECT_EQ(cookies(), Cookies({1, 3}));
}

TEST_F(FlowTest, AModifyThatMayAddDoesWhereThereIsNothing) {
  FlowMod modify = mod(FlowCommand::kModifyStrict, kAllTables, 3, kit::on_port(1), apply({output(2)}));
  modify.flags = flag(FlowFlag::kOrAdd) | flag(FlowFlag::kSetCookie) | flag(FlowFlag::kSendFlowRem);
  modify.cookie = 7;
  EXPECT_EQ(switch_.flow(modify), Status::kOk);
  ASSERT_EQ(switch_.flows().size(), 1u);
  EXPECT_EQ(switch_.flows()[0].flow.table, 0);
  EXPECT_EQ(switch_.flows()[0].flow.cookie, 7u);
  EXPECT_EQ(switch_.flows()[0].flow.flags, flag(FlowFlag::kSendFlowRem));
  modify.cookie = 8;
  switch_.now += 3 * kSecond;
  EXPECT_EQ(switch_.flow(modify), Status::kOk);
  ASSERT_EQ(switch_.flows().size(), 1u);
  EXPECT_EQ(switch_.flows()[0].flow.cookie, 8u);
  EXPECT_EQ(switch_.flows()[0].duration_ns, 3 * kSecond);
  EXPECT_EQ(switch_.flows()[0].unchanged_ns, 0u);
  switch_.now += kSecond;
  EXPECT_EQ(switch_.flows()[0].unchanged_ns, kSecond);
  modify.priority = 4;
  modify.flags = 0;
  EXPECT_EQ(switch_.flow(modify), Status::kOk);
  EXPECT_EQ(switch_.flows().size(), 1u);
}

TEST_F(Watched, OneOfTheLargestGroupMakesRoom) {
  TableConfig config{.max_entries = 4, .eviction = static_cast<std::uint8_t>(EvictionFlag::kImportance)};
  config.groups = kit::Match().with(Field::kEthType, ~0u).with(Field::kIpv4Dst, 0xff000000).value;
  switch_.pipeline.begin(switch_.now, false);
  EXPECT_EQ(switch_.pipeline.table_config(0, config), Status::kOk);
  switch_.pipeline.publish();
  const auto important = [&](std::uint16_t importance, const kit::Match& match) {
    FlowMod out = add(importance, match, importance);
    out.importance = importance;
    return switch_.flow(out);
  };
  important(1, kit::to_ipv4(0x0a000001));
  important(5, kit::to_ipv4(0x0b000001));
  important(6, kit::to_ipv4(0x0b000002));
  important(7, kit::to_ipv4(0x0b000003));
  EXPECT_EQ(important(9, kit::to_ipv4(0x0c000001)), Status::kOk);
  EXPECT_EQ(cookies(), Cookies({1, 6, 7, 9}));
  // What would go is more important, though another group has a flow that is less so.
  EXPECT_EQ(important(2, kit::any()), Status::kTableFull);
  EXPECT_EQ(important(6, kit::any()), Status::kOk);
  EXPECT_EQ(cookies(), Cookies({1, 6, 7, 9}));
  // All are of one size: the lowest of all.
  EXPECT_EQ(important(3, kit::on_port(1)), Status::kOk);
  EXPECT_EQ(cookies(), Cookies({3, 6, 7, 9}));
}

TEST_F(Watched, FlowsThatAreUsedAllTheTimeMakeRoomInAFewLooks) {
  configure(1000, static_cast<unsigned>(EvictionFlag::kLifetime));
  const auto idle = [&](std::uint32_t n) {
    FlowMod out = add(1, kit::on_port(1).with(Field::kEthType, 0x0800).with(Field::kUdpSrc, n), n);
    out.idle_timeout = 10;
    return switch_.flow(out);
  };
  for (std::uint32_t n = 1; n <= 1000; ++n) idle(n);
  switch_.now += kSecond;
  for (std::uint16_t n = 1; n <= 1000; ++n) switch_.receive(1, Udp{.source_port = n}.frame());
  switch_.now += kSecond;
  EXPECT_EQ(idle(2000), Status::kOk);
  EXPECT_EQ(switch_.flows().size(), 1000u);
}

}  // namespace
}  // namespace xvif
