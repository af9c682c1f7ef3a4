// Flows that packets learn, and timeouts that they shorten.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/limits.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::join;
using kit::output;
using kit::Udp;
using Counts = std::vector<std::size_t>;

Bytes subfield(Field field, std::uint16_t offset, std::uint16_t bits) {
  Bytes out(8, 0);
  out[0] = static_cast<std::uint8_t>(field);
  kit::put(out, 2, offset);
  kit::put(out, 4, bits);
  return out;
}
Bytes whole(Field field) { return subfield(field, 0, kFieldPlaces[static_cast<std::size_t>(field)].bits); }

Bytes spec(LearnUse use, const Bytes& to, const Bytes& from) {
  Bytes head(8, 0);
  head[0] = static_cast<std::uint8_t>(use);
  return join({head, to, from});
}
Bytes match_copy(Field to, Field from) { return spec(LearnUse::kMatch, whole(to), whole(from)); }
Bytes output_from(Field from) { return spec(LearnUse::kOutput, Bytes(8, 0), whole(from)); }
Bytes immediate(LearnUse use, const Bytes& to, std::uint64_t number) {
  Bytes out = spec(use, to, Bytes(8, 0));
  out[1] = 1;
  const std::size_t width = (load_host<std::uint16_t>(&to[4]) + 7u) / 8u;
  for (std::size_t i = width; i-- > 0; number >>= 8) out[16 + i] = static_cast<std::uint8_t>(number);
  return out;
}

struct Learn {
  std::uint8_t table = 1;
  std::uint16_t priority = 5, idle = 0, hard = 0, fin_idle = 0, fin_hard = 0, flags = 0;
  std::uint64_t cookie = 0x55;
  std::uint32_t limit = 0;
  Bytes result = Bytes(8, 0);

  Bytes with(std::initializer_list<Bytes> specs) const {
    const Bytes list = join(specs);
    Bytes out = kit::record(static_cast<std::uint8_t>(Action::kLearn), 40 + list.size());
    kit::put(out, 4, idle);
    kit::put(out, 6, hard);
    kit::put(out, 8, cookie);
    kit::put(out, 16, priority);
    kit::put(out, 18, flags);
    kit::put(out, 20, fin_idle);
    kit::put(out, 22, fin_hard);
    kit::put(out, 24, limit);
    out[28] = table;
    std::copy(result.begin(), result.end(), out.begin() + 32);
    std::copy(list.begin(), list.end(), out.begin() + 40);
    return out;
  }
  /// A station is where its frames come from.
  Bytes stations() const { return with({match_copy(Field::kEthDst, Field::kEthSrc), output_from(Field::kInPort)}); }
};
constexpr auto flag(LearnFlag which) { return static_cast<std::uint16_t>(which); }

class LearnTest : public testing::Test, protected FlowRemovedSink {
 protected:
  void SetUp() override { switch_.pipeline.on_flow_removed(this); }
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }
  void flow_removed(const FlowView& view, FlowRemovedReason reason) override {
    removed_.emplace_back(view.flow.cookie, reason);
  }

  void flow(std::uint8_t table, const kit::Match& match, const Bytes& instructions, std::uint16_t priority = 9) {
    EXPECT_EQ(switch_.flow(table, priority, match, instructions), Status::kOk);
  }
  Counts pass(std::uint32_t port, const Udp& udp) {
    switch_.receive(port, udp.frame());
    take_all();
    return switch_.sent();
  }
  void take_all() {
    while (switch_.pipeline.take_requests(switch_.now)) {
    }
  }
  std::size_t flows(std::uint8_t table) const { return switch_.pipeline.flows().size(table); }
  FlowView first(std::uint8_t table) const {
    FlowFilter filter;
    filter.table = table;
    return switch_.flows(filter).at(0);
  }
  void after(std::uint64_t ms) {
    switch_.now += ms * 1'000'000;
    switch_.pipeline.tick(switch_.now);
  }
  static Udp from(std::uint8_t mac, std::uint8_t to = 99) { return Udp{.source_mac = mac, .destination_mac = to}; }

  std::vector<std::pair<std::uint64_t, FlowRemovedReason>> removed_;
  kit::Switch switch_;
};

Bytes resubmit(std::uint8_t table) {
  Bytes out = kit::record(static_cast<std::uint8_t>(Action::kResubmit), 16);
  kit::put(out, 4, static_cast<std::uint32_t>(ReservedPort::kInPort));
  out[8] = table;
  return out;
}

TEST_F(LearnTest, StationsAreFoundAgain) {
  flow(0, kit::any(), apply({Learn{}.stations(), resubmit(1)}));
  flow(1, kit::any(), apply({output(6)}), 0);
  EXPECT_EQ(pass(1, from(1)), Counts({0, 0, 0, 0, 0, 1})) << "nothing is known";
  EXPECT_EQ(pass(2, from(2, 1)), Counts({1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(pass(1, from(1, 2)), Counts({0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(flows(1), 3u);
  EXPECT_EQ(switch_.pipeline.learning().learned, 2u);
  EXPECT_EQ(pass(3, from(1)), Counts({0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(pass(2, from(2, 1)), Counts({0, 0, 1, 0, 0, 0})) << "the station has moved";
  EXPECT_EQ(flows(1), 3u);
  EXPECT_EQ(switch_.pipeline.learning().learned, 2u);
  EXPECT_EQ(switch_.pipeline.learning().dropped, 0u);
}

TEST_F(LearnTest, SettingsOfTheLearnedFlow) {
  flow(0, kit::any(),
       apply(
           {Learn{.table = 7, .priority = 77, .idle = 3, .hard = 4, .flags = flag(LearnFlag::kSendFlowRem), .cookie = 9}
                .with({immediate(LearnUse::kMatch, whole(Field::kEthType), 0x0800),
                       match_copy(Field::kIpv4Dst, Field::kIpv4Src),
                       immediate(LearnUse::kMatch, subfield(Field::kXreg1, 32, 8), 5),
                       immediate(LearnUse::kLoad, subfield(Field::kReg0, 4, 8), 0xab),
                       spec(LearnUse::kLoad, whole(Field::kReg1), subfield(Field::kIpv4Dst, 0, 32))})}));
  EXPECT_EQ(pass(1, Udp()), Counts(6, 0));
  const FlowView view = first(7);
  EXPECT_EQ(view.flow.priority, 77);
  EXPECT_EQ(view.flow.cookie, 9u);
  EXPECT_EQ(view.flow.idle_timeout, 3);
  EXPECT_EQ(view.flow.hard_timeout, 4);
  EXPECT_EQ(view.flow.flags, static_cast<std::uint16_t>(FlowFlag::kSendFlowRem));
  EXPECT_EQ(view.packets, 0u);
  const kit::Match expected =
      kit::Match().with(Field::kEthType, 0x0800).with(Field::kIpv4Dst, 0x0a000001).with(Field::kReg2, 5, 0xff);
  EXPECT_EQ(view.value, expected.value);
  EXPECT_EQ(view.mask, expected.mask);
  std::vector<std::uint64_t> loaded;
  for (const ActionView action : Actions(view.flow.instructions->apply)) {
    ASSERT_EQ(action.code(), Action::kLoad);
    loaded.push_back(action.subfield().bits == 8 ? action.load_value()[0] : load_be32(action.load_value()));
  }
  EXPECT_EQ(loaded, std::vector<std::uint64_t>({0xab, 0x0a000002}));
}

TEST_F(LearnTest, FieldsThatAreNotThereCountAsZeroAndNoPortIsNoOutput) {
  flow(0, kit::any(), apply({Learn{}.with({match_copy(Field::kReg3, Field::kArpSpa), output_from(Field::kReg5)})}));
  pass(1, Udp());
  EXPECT_EQ(first(1).mask, kit::Match().with(Field::kReg3, 0).mask);
  EXPECT_EQ(first(1).value, FlowKey{});
  EXPECT_TRUE(first(1).instructions().empty());
}

TEST_F(LearnTest, PortsOf16BitsAreWidened) {
  flow(0, kit::any(),
       apply({Learn{}.with({immediate(LearnUse::kMatch, subfield(Field::kInPort, 0, 16), 0xfffe),
                            immediate(LearnUse::kLoad, subfield(Field::kInPort, 0, 16), 3)})}));
  pass(1, Udp());
  const kit::Match expected = kit::on_port(static_cast<std::uint32_t>(ReservedPort::kLocal));
  EXPECT_EQ(first(1).value, expected.value);
  EXPECT_EQ(first(1).mask, expected.mask);
  const ActionView load(first(1).flow.instructions->apply.data());
  EXPECT_EQ(load.subfield().bits, 32);
  EXPECT_EQ(load_be32(load.load_value()), 3u);
}

TEST_F(LearnTest, PacketsOfOneFlowAskOnce) {
  flow(0, kit::any(), apply({Learn{}.stations()}));
  switch_.receive(1, std::vector<Bytes>(kBatchMax, from(1).frame()));
  switch_.receive(1, from(1).frame());
  const std::uint64_t version = switch_.pipeline.version();
  EXPECT_FALSE(switch_.pipeline.take_requests(switch_.now));
  EXPECT_EQ(switch_.pipeline.version(), version + 1);
  EXPECT_EQ(switch_.pipeline.learning().learned, 1u);
  switch_.receive(1, from(1).frame());
  EXPECT_FALSE(switch_.pipeline.take_requests(switch_.now));
  EXPECT_EQ(switch_.pipeline.version(), version + 1) << "nothing was asked for: the flow is there";
}

TEST_F(LearnTest, TheLastThatWasAskedForCounts) {
  flow(0, kit::any(), apply({Learn{}.stations()}));
  for (const std::uint32_t port : {1u, 2u, 1u}) switch_.receive(port, from(1).frame());
  take_all();
  const ActionView action(first(1).flow.instructions->apply.data());
  EXPECT_EQ(raw(action.port()), 1u);
}

TEST_F(LearnTest, PacketsThatWouldLearnItKeepAFlow) {
  flow(0, kit::any(), apply({Learn{.idle = 2, .hard = 3, .flags = flag(LearnFlag::kSendFlowRem)}.stations()}));
  pass(1, from(1));
  for (int i = 0; i < 8; ++i) {
    after(1000);
    pass(1, from(1));
    EXPECT_EQ(flows(1), 1u) << i;
  }
  after(1900);
  EXPECT_EQ(flows(1), 1u);
  after(200);
  EXPECT_EQ(flows(1), 0u);
  ASSERT_EQ(removed_.size(), 1u);
  EXPECT_EQ(removed_[0], std::pair(std::uint64_t{0x55}, FlowRemovedReason::kIdleTimeout));
  EXPECT_EQ(pass(1, from(1)), Counts(6, 0));
  EXPECT_EQ(flows(1), 1u) << "it is learned anew";
}

TEST_F(LearnTest, AFlowOfTheSameMatchKeepsItsTimeouts) {
  const Bytes before = apply({output(4)});
  FlowMod mod = kit::add(1, 5, kit::Match().with(Field::kEthDst, 0x020000000001), before);
  mod.hard_timeout = 50;
  mod.cookie = 1;
  EXPECT_EQ(switch_.flow(mod), Status::kOk);
  flow(0, kit::any(), apply({Learn{.idle = 2}.stations()}));
  pass(1, from(1));
  EXPECT_EQ(flows(1), 1u);
  EXPECT_EQ(first(1).flow.cookie, 0x55u);
  EXPECT_EQ(first(1).flow.hard_timeout, 50);
  EXPECT_EQ(first(1).flow.idle_timeout, 0);
  EXPECT_EQ(raw(ActionView(first(1).flow.instructions->apply.data()).port()), 1u);
}

TEST_F(LearnTest, AFloodIsDroppedAndCountedAndLeavesOthersTheirShare) {
  flow(0, kit::any(), apply({Learn{}.stations()}));
  for (unsigned i = 0; i < 4000; ++i) {
    Udp udp = from(static_cast<std::uint8_t>(i));
    Bytes frame = udp.frame();
    kit::put(frame, 7, static_cast<std::uint16_t>(i));
    switch_.receive(1, frame);
  }
  const auto flooded = switch_.pipeline.learning().dropped;
  EXPECT_GT(flooded, 3000u);
  switch_.receive(2, from(250).frame());
  EXPECT_EQ(switch_.pipeline.learning().dropped, flooded);
  take_all();
  EXPECT_EQ(flows(1), 4000 - flooded + 1);
}

TEST_F(LearnTest, EachPortHasItsShareOfTheQueue) {
  flow(0, kit::any(), apply({Learn{}.stations()}));
  std::size_t learned = 0;
  for (std::uint32_t port = 1; port <= 4; ++port) {
    for (unsigned i = 0; i < 200; ++i) {
      Bytes frame = from(static_cast<std::uint8_t>(port)).frame();
      kit::put(frame, 7, static_cast<std::uint16_t>(i));
      switch_.receive(port, frame);
    }
  }
  take_all();
  learned = flows(1);
  EXPECT_EQ(learned + switch_.pipeline.learning().dropped, 800u);
  EXPECT_GT(learned, 400u);
}

TEST_F(LearnTest, LimitCountsFlowsOfTheCookieAndTheResultSaysSo) {
  const Bytes instructions = apply({output(4)});
  FlowMod other = kit::add(1, 1, kit::on_port(5), instructions);
  other.cookie = 0x55;
  EXPECT_EQ(switch_.flow(other), Status::kOk);
  const Learn learn{.flags = flag(LearnFlag::kWriteResult), .limit = 3, .result = subfield(Field::kReg0, 7, 1)};
  flow(0, kit::any(), join({apply({learn.stations()}), kit::go(9)}));
  flow(9, kit::Match().with(Field::kReg0, 0x80), apply({output(5)}));
  flow(9, kit::Match().with(Field::kReg0, 0), apply({output(6)}));
  const Counts learned{0, 0, 0, 0, 1, 0}, refused{0, 0, 0, 0, 0, 1};
  EXPECT_EQ(pass(1, from(1)), learned);
  EXPECT_EQ(pass(1, from(2)), learned);
  EXPECT_EQ(pass(1, from(3)), refused);
  EXPECT_EQ(pass(1, from(2)), learned) << "it is there";
  EXPECT_EQ(flows(1), 3u);
  other.command = FlowCommand::kDelete;
  other.cookie_mask = 0;
  EXPECT_EQ(switch_.flow(other), Status::kOk);
  EXPECT_EQ(pass(1, from(3)), learned) << "there is room again";
  // Two at once: the second finds out when it is its turn.
  FlowMod all;
  all.command = FlowCommand::kDelete;
  all.table = 1;
  EXPECT_EQ(switch_.flow(all), Status::kOk);
  switch_.receive(1, {from(1).frame(), from(2).frame(), from(3).frame(), from(4).frame()});
  take_all();
  EXPECT_EQ(flows(1), 3u);
  EXPECT_EQ(switch_.pipeline.learning().dropped, 1u);
}

TEST_F(LearnTest, LearnedFlowsGoWithTheLastThatLearnedThem) {
  const Bytes learning = apply({Learn{.flags = flag(LearnFlag::kDeleteLearned)}.stations()});
  flow(0, kit::on_port(1), learning);
  flow(0, kit::on_port(2), learning);
  pass(1, from(1));
  pass(2, from(2));
  flow(1, kit::on_port(6), apply({output(1)}));
  EXPECT_EQ(flows(1), 3u);
  const auto erase = [&](std::uint32_t port) {
    FlowMod mod = kit::add(0, 9, kit::on_port(port), {});
    mod.command = FlowCommand::kDeleteStrict;
    EXPECT_EQ(switch_.flow(mod), Status::kOk);
  };
  flow(0, kit::on_port(1), learning);
  erase(1);
  EXPECT_EQ(flows(1), 3u);
  erase(2);
  EXPECT_EQ(flows(1), 1u) << "that of another cookie stays";
  flow(0, kit::on_port(1), learning);
  pass(1, from(1));
  EXPECT_EQ(flows(1), 2u);
  flow(0, kit::on_port(1), apply({output(2)}));
  EXPECT_EQ(flows(1), 1u) << "replaced";
}

TEST_F(LearnTest, WhatIsRolledBackTakesNothingWithIt) {
  flow(0, kit::on_port(1), apply({Learn{.flags = flag(LearnFlag::kDeleteLearned), .limit = 5}.stations()}));
  pass(1, from(1));
  switch_.pipeline.begin(switch_.now, true);
  FlowMod mod;
  mod.command = FlowCommand::kDelete;
  mod.table = 0;
  EXPECT_EQ(switch_.pipeline.flow_mod(mod), Status::kOk);
  EXPECT_EQ(flows(1), 0u);
  switch_.pipeline.rollback();
  EXPECT_EQ(flows(0), 1u);
  EXPECT_EQ(flows(1), 1u);
  switch_.pipeline.begin(switch_.now, true);
  EXPECT_EQ(switch_.pipeline.flow_mod(kit::add(
                0, 3, kit::any(), apply({Learn{.flags = flag(LearnFlag::kDeleteLearned), .cookie = 77}.stations()}))),
            Status::kOk);
  switch_.pipeline.rollback();
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.publish();
  EXPECT_EQ(flows(1), 1u);
  EXPECT_EQ(switch_.flow(mod), Status::kOk);
  EXPECT_EQ(flows(1), 0u);
}

TEST_F(LearnTest, PacketOutLearnsAtOnce) {
  Packet* const packet = kit::make_packet(switch_.pool, 2, from(7).frame());
  EXPECT_EQ(switch_.pipeline.packet_out(1, switch_.now, PortNo{2}, Learn{}.stations(), packet), Status::kOk);
  EXPECT_EQ(flows(1), 1u);
}

Bytes tcp(std::uint8_t flags) {
  Bytes frame = Udp().frame();
  frame[23] = 6;
  frame[46] = 0x50;
  frame[47] = flags;
  return frame;
}
Bytes fin_timeout(std::uint16_t idle, std::uint16_t hard) {
  Bytes out = kit::record(static_cast<std::uint8_t>(Action::kFinTimeout), 8);
  kit::put(out, 4, idle);
  kit::put(out, 6, hard);
  return out;
}

TEST_F(LearnTest, EndsOfConnectionsShortenTimeouts) {
  const Bytes instructions = apply({fin_timeout(2, 5), output(2)});
  FlowMod mod = kit::add(0, 9, kit::any(), instructions);
  mod.idle_timeout = 60;
  EXPECT_EQ(switch_.flow(mod), Status::kOk);
  const auto timeouts = [&] { return std::pair(first(0).flow.idle_timeout, first(0).flow.hard_timeout); };
  using Pair = std::pair<std::uint16_t, std::uint16_t>;
  const auto pass_tcp = [&](std::uint8_t flags) {
    switch_.receive(1, tcp(flags));
    take_all();
  };
  pass_tcp(0x10);
  EXPECT_EQ(timeouts(), Pair(60, 0));
  const std::uint64_t version = switch_.pipeline.version();
  pass_tcp(0x11);
  EXPECT_EQ(timeouts(), Pair(2, 5));
  pass_tcp(0x04);
  EXPECT_EQ(switch_.pipeline.version(), version + 1) << "they are short: nobody asks";
  after(1500);
  pass_tcp(0x10);
  after(1500);
  EXPECT_EQ(flows(0), 1u);
  after(600);
  EXPECT_EQ(flows(0), 0u);
  EXPECT_EQ(switch_.sent(), Counts({0, 4, 0, 0, 0, 0}));
}

TEST_F(LearnTest, WhatIsAskedForAfterTheLastParentWentIsNotLearned) {
  const Bytes learning = apply({Learn{.flags = flag(LearnFlag::kDeleteLearned)}.stations()});
  flow(0, kit::any(), learning);
  switch_.receive(1, {from(1).frame(), from(2).frame()});
  FlowMod mod;
  mod.command = FlowCommand::kDelete;
  mod.table = 0;
  EXPECT_EQ(switch_.flow(mod), Status::kOk);
  take_all();
  EXPECT_EQ(flows(1), 0u);
  EXPECT_EQ(switch_.pipeline.learning().dropped, 2u);
}

TEST_F(LearnTest, LearnedFlowsHaveFinTimeouts) {
  flow(0, kit::any(), apply({Learn{.fin_idle = 3, .fin_hard = 4}.stations()}));
  pass(1, from(1));
  const ActionView action(first(1).flow.instructions->apply.data());
  EXPECT_EQ(action.code(), Action::kFinTimeout);
  EXPECT_EQ(action.idle_timeout(), 3);
  EXPECT_EQ(action.hard_timeout(), 4);
}

TEST_F(LearnTest, ThreadsLearnWhileTheControlThreadWrites) {
  flow(0, kit::any(), apply({Learn{.flags = flag(LearnFlag::kDeleteLearned), .limit = 100}.stations(), resubmit(1)}));
  std::atomic<bool> done{false};
  PacketPool pool(256);
  std::thread worker([&] {
    switch_.epoch.online(0);
    for (unsigned i = 0; i < 20'000; ++i) {
      Bytes frame = from(static_cast<std::uint8_t>(i % 50)).frame();
      frame[7] = static_cast<std::uint8_t>(i % 3);
      Packet* const packet = kit::make_packet(pool, 1, frame);
      switch_.pipeline.process(0, switch_.now, {{packet}});
      switch_.epoch.quiescent(0);
    }
    switch_.epoch.offline(0);
    done = true;
  });
  for (unsigned i = 0; !done; ++i) {
    switch_.pipeline.take_requests(switch_.now);
    if (i % 64 != 0) continue;
    FlowMod mod;
    mod.command = FlowCommand::kDelete;
    mod.table = static_cast<std::uint8_t>(i / 64 % 2);
    EXPECT_EQ(switch_.flow(mod), Status::kOk);
    if (mod.table == 0) {
      EXPECT_EQ(flows(1), 0u);
    }
    flow(0, kit::any(), apply({Learn{.flags = flag(LearnFlag::kDeleteLearned), .limit = 100}.stations(), resubmit(1)}));
  }
  worker.join();
  take_all();
  EXPECT_LE(flows(1), 100u);
  for (std::uint32_t port = 1; port <= 6; ++port) switch_.port(port).sent.clear();
}

}  // namespace
}  // namespace xvif
