// What traced packets meet, and that nothing of it happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "actions/learn.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;
using Lines = std::vector<std::string>;

/// Steps as lines, each after two spaces for its depth.
class Told final : public TraceSink {
 public:
  Lines lines;
  std::vector<Bytes> frames;
  std::uint64_t metadata = 0;

  void begin(FlowKey& key) override { store_be64(key.at(key_at::kMetadata), metadata); }
  void table(const TableStep& step) override {
    const std::string flow = step.flow == nullptr ? "none" : std::to_string(step.flow->priority);
    say(step.depth, (step.egress ? "egress " : "table ") + std::to_string(step.table) + ": " + flow);
  }
  void action(unsigned depth, const ActionView& action) override {
    say(depth, "action " + std::to_string(static_cast<unsigned>(action.code())));
  }
  void changes(unsigned depth, const FlowKey&, const FlowKey&) override { say(depth, "changed"); }
  void instructions(unsigned depth) override { say(depth, "rest"); }
  void action_set(unsigned depth) override { say(depth, "set"); }
  void group(unsigned depth, const Group& group, std::span<const BucketState> buckets) override {
    std::string text = "group " + std::to_string(group.id) + ":";
    for (const auto& [live, chosen] : buckets) text += chosen ? " chosen" : live ? " live" : " dead";
    say(depth, text);
  }
  void bucket(unsigned depth, const Bucket& bucket) override { say(depth, "bucket " + std::to_string(bucket.id)); }
  void meter(std::uint32_t meter, const Band* band) override {
    say(0, "meter " + std::to_string(meter) + (band == nullptr ? " passes" : " exceeded"));
  }
  void normal(std::uint16_t, std::optional<PortNo> to) override {
    say(0, "normal " + (to ? std::to_string(raw(*to)) : std::string("everywhere")));
  }
  void output(PortNo port, std::span<const std::uint8_t> frame) override {
    say(0, "out " + std::to_string(raw(port)));
    frames.emplace_back(frame.begin(), frame.end());
  }
  void drop(Drop reason, std::optional<PortNo> port) override {
    say(0, "drop " + std::to_string(static_cast<unsigned>(reason)) + (port ? " at " + std::to_string(raw(*port)) : ""));
  }
  void packet_in(const PacketInStep& step) override {
    say(0, "up from " + std::to_string(step.table) + ", " + std::to_string(step.max_len));
  }
  void learn(const ActionView&, const LearnedFlow&, LearnVerdict verdict) override {
    say(0, "learn " + std::to_string(static_cast<unsigned>(verdict)));
  }

 private:
  void say(unsigned depth, const std::string& text) {
    lines.push_back(std::string(2 * std::size_t{depth}, ' ') + text);
  }
};

std::string dropped(Drop reason) { return "drop " + std::to_string(static_cast<unsigned>(reason)); }
std::string action(Action code) { return "action " + std::to_string(static_cast<unsigned>(code)); }
Bytes resubmit(std::uint8_t table) {
  Bytes out = kit::record(static_cast<std::uint8_t>(Action::kResubmit), 16);
  kit::put(out, 4, static_cast<std::uint32_t>(ReservedPort::kInPort));
  out[8] = table;
  return out;
}

class TraceTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost";
    EXPECT_EQ(switch_.sent(), Counts(6, 0)) << "packets were sent";
    EXPECT_TRUE(switch_.upcalls().empty()) << "a controller was told";
    for (std::uint32_t port = 1; port <= 6; ++port) {
      for (std::size_t reason = 0; reason < kDropReasons; ++reason) {
        EXPECT_EQ(switch_.port(port).dropped(static_cast<Drop>(reason)), 0u);
        EXPECT_EQ(switch_.port(port).tx_dropped(static_cast<Drop>(reason)), 0u);
      }
    }
    for (const FlowView& view : switch_.flows()) EXPECT_EQ(view.packets, 0u) << "a flow was counted";
    for (std::size_t table = 0; table < 3; ++table) EXPECT_EQ(switch_.pipeline.table(table).lookups, 0u);
  }
  void flow(std::uint8_t table, std::uint16_t priority, const kit::Match& match, const Bytes& instructions) {
    EXPECT_EQ(switch_.flow(table, priority, match, instructions), Status::kOk);
  }
  Lines trace(const Bytes& frame, std::uint32_t port = 1) {
    told_ = {};
    told_.metadata = metadata_;
    Packet* const packet = kit::make_packet(switch_.pool, port, frame);
    EXPECT_EQ(switch_.pipeline.trace(1, switch_.now, packet, told_), Status::kOk);
    return told_.lines;
  }
  Lines trace() { return trace(Udp().frame()); }
  void connect(bool connected) {
    switch_.pipeline.begin(switch_.now, false);
    switch_.pipeline.controller_state(connected);
    switch_.pipeline.publish();
  }

  kit::Switch switch_;
  Told told_;
  std::uint64_t metadata_ = 0;
};

TEST_F(TraceTest, TablesActionsAndTheFrameThatLeaves) {
  flow(0, 7, kit::on_port(1), kit::join({apply({kit::set_field(Field::kEthDst, 0x42)}), kit::go(2)}));
  flow(2, 3, kit::any(), kit::write({output(4)}));
  EXPECT_EQ(trace(), Lines({"table 0: 7", action(Action::kSetField), "changed", "rest", "table 2: 3", "rest", "set",
                            action(Action::kOutput), "out 4"}));
  EXPECT_EQ(told_.frames.at(0).at(5), 0x42);
  EXPECT_EQ(told_.frames.at(0).size(), 60u);
}

TEST_F(TraceTest, WhyItGoesNowhere) {
  EXPECT_EQ(trace(), Lines({"table 0: none", dropped(Drop::kTableMiss)}));
  flow(0, 1, kit::any(), apply({output(1), output(77)}));
  EXPECT_EQ(trace(), Lines({"table 0: 1", action(Action::kOutput), dropped(Drop::kLoop), action(Action::kOutput),
                            dropped(Drop::kNoPort), "rest"}));
  flow(0, 2, kit::any(), apply({kit::action(Action::kDecNwTtl), output(2)}));
  Udp old;
  old.ttl = 1;
  connect(true);
  EXPECT_EQ(trace(old.frame()),
            Lines({"table 0: 2", action(Action::kDecNwTtl), dropped(Drop::kTtl), "up from 0, 65535"}));
  connect(false);
  EXPECT_EQ(trace(old.frame()).back(), dropped(Drop::kUpcallFull));
}

TEST_F(TraceTest, PortsThatAreClosed) {
  flow(0, 1, kit::any(), apply({output(2)}));
  const auto configure = [&](std::uint32_t port, PortConfig bit) {
    switch_.pipeline.begin(switch_.now, false);
    switch_.pipeline.port_config(PortNo{port}, static_cast<std::uint32_t>(bit), ~0u);
    switch_.pipeline.publish();
  };
  configure(2, PortConfig::kNoFwd);
  EXPECT_EQ(trace().at(2), dropped(Drop::kNoFwd) + " at 2");
  configure(1, PortConfig::kDown);
  EXPECT_EQ(trace(), Lines({dropped(Drop::kPortDown)}));
  Packet* const packet = kit::make_packet(switch_.pool, 77, Udp().frame());
  EXPECT_EQ(switch_.pipeline.trace(1, switch_.now, packet, told_), Status::kBadPort);
}

TEST_F(TraceTest, AMeterKeepsItsTokens) {
  const auto pktps = static_cast<std::uint16_t>(MeterFlag::kPktps);
  ASSERT_EQ(switch_.meter(ModCommand::kAdd, 5, pktps, {{static_cast<std::uint16_t>(MeterBandType::kDrop), 0, 1, 0}}),
            Status::kOk);
  flow(0, 1, kit::on_port(1), kit::join({kit::meter(5), apply({output(2)})}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(trace().at(1), "meter 5 passes");
  std::uint64_t cursor = 0;
  switch_.pipeline.meters().read(5, switch_.now, cursor, [](const MeterView& view) {
    EXPECT_EQ(view.count.packets, 0u);
    return true;
  });
  ASSERT_EQ(switch_.meter(ModCommand::kModify, 5, pktps, {{static_cast<std::uint16_t>(MeterBandType::kDrop), 0, 0, 0}}),
            Status::kOk);
  EXPECT_EQ(trace(), Lines({"table 0: 1", "meter 5 exceeded", dropped(Drop::kMeter)}));
}

TEST_F(TraceTest, GroupsAndTheirBuckets) {
  const Bytes first = output(2), second = output(3), to_ff = kit::group(8);
  switch_.port(2).up = false;
  const BucketMod dead{.watch_port = 2, .actions = first}, live{.watch_port = 3, .actions = second};
  ASSERT_EQ(switch_.group(ModCommand::kAdd, 8, GroupType::kFf, {dead, live}), Status::kOk);
  ASSERT_EQ(switch_.group(ModCommand::kAdd, 9, GroupType::kAll, {{.actions = to_ff}, {.actions = second}}),
            Status::kOk);
  flow(0, 1, kit::any(), apply({kit::group(9)}));
  EXPECT_EQ(trace(), Lines({"table 0: 1", action(Action::kGroup), "group 9: chosen chosen", "bucket 0",
                            "  " + action(Action::kGroup), "  group 8: dead chosen", "  bucket 1",
                            "    " + action(Action::kOutput), "out 3", "bucket 1", "  " + action(Action::kOutput),
                            "out 3", "rest"}));
  std::uint64_t cursor = 0;
  switch_.pipeline.groups().read(9, switch_.now, cursor, [](const GroupView& view) {
    EXPECT_EQ(view.count.packets, 0u);
    return true;
  });
}

TEST_F(TraceTest, NormalLearnsNothing) {
  flow(0, 1, kit::any(), apply({output(ReservedPort::kNormal)}));
  EXPECT_EQ(trace().at(2), "normal everywhere");
  EXPECT_EQ(told_.frames.size(), 5u);
  Udp back;
  std::swap(back.source_mac, back.destination_mac);
  EXPECT_EQ(trace(back.frame(), 2).at(2), "normal everywhere") << "the first packet was learned from";
  EXPECT_EQ(switch_.pipeline.macs().held(PortNo{1}), 0u);
  Udp own;
  own.destination_mac = own.source_mac;
  EXPECT_EQ(trace(own.frame()),
            Lines({"table 0: 1", action(Action::kOutput), "normal 1", dropped(Drop::kLoop), "rest"}));
}

TEST_F(TraceTest, ResubmitsAndEgressTables) {
  flow(0, 1, kit::any(), apply({resubmit(2), output(3)}));
  flow(2, 4, kit::any(), apply({kit::set_field(Field::kEthDst, 0x42)}));
  flow(9, 6, kit::any(), {});
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.set_config(FragMode::kNormal, 9);
  switch_.pipeline.publish();
  EXPECT_EQ(trace(),
            Lines({"table 0: 1", action(Action::kResubmit), "  table 2: 4", "  " + action(Action::kSetField),
                   "  changed", "  rest", action(Action::kOutput), "  egress 9: 6", "  rest", "out 3", "rest"}));
}

TEST_F(TraceTest, ACircleOfResubmitsEnds) {
  flow(0, 1, kit::any(), apply({resubmit(0)}));
  EXPECT_EQ(trace().back(), dropped(Drop::kResubmitLimit));
  EXPECT_EQ(told_.lines.size(), 2 * (kResubmitDepthMax + 1) + 1);
}

TEST_F(TraceTest, WhatIsLearnedIsToldAndNotMade) {
  // Matches the source it saw as a destination, and outputs nowhere.
  Bytes spec(24, 0);
  spec[0] = static_cast<std::uint8_t>(LearnUse::kMatch);
  for (const std::size_t at : {8, 16}) kit::put(spec, at + 4, std::uint16_t{48});
  spec[8] = static_cast<std::uint8_t>(Field::kEthDst);
  spec[16] = static_cast<std::uint8_t>(Field::kEthSrc);
  Bytes learn = kit::record(static_cast<std::uint8_t>(Action::kLearn), 40 + spec.size());
  kit::put(learn, 8, std::uint64_t{0x55});
  kit::put(learn, 16, std::uint16_t{5});
  kit::put(learn, 24, std::uint32_t{1});  // the limit
  learn[28] = 1;
  std::copy(spec.begin(), spec.end(), learn.begin() + 40);
  flow(0, 1, kit::any(), apply({learn}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(trace().at(2), "learn 0");
  EXPECT_FALSE(switch_.pipeline.take_requests(switch_.now));
  EXPECT_EQ(switch_.pipeline.learning().learned, 0u);
  FlowMod made = kit::add(1, 5, kit::Match().with(Field::kEthDst, 0x020000000001), {});
  made.cookie = 0x55;
  EXPECT_EQ(switch_.flow(made), Status::kOk);
  EXPECT_EQ(trace().at(2), "learn 1");
  Udp other;
  other.source_mac = 9;
  EXPECT_EQ(trace(other.frame()).at(2), "learn 2");
}

TEST_F(TraceTest, FieldsThatThePacketBringsAlong) {
  flow(0, 5, kit::Match().with(Field::kMetadata, 7), {});
  EXPECT_EQ(trace().at(0), "table 0: none");
  metadata_ = 7;
  EXPECT_EQ(trace(), Lines({"table 0: 5", "rest"}));
}

}  // namespace
}  // namespace xvif
