// Registers, resubmit, stack, clone and the other actions of Nicira's.
#include <gtest/gtest.h>

#include <algorithm>

#include "actions/iterate.h"
#include "base/limits.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::go;
using kit::join;
using kit::of_parts;
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
Bytes load(Field field, std::uint16_t offset, std::uint16_t bits, std::uint64_t value) {
  Bytes number((bits + 7u) / 8u);
  for (std::size_t i = number.size(); i-- > 0; value >>= 8) number[i] = static_cast<std::uint8_t>(value);
  return of_parts(Action::kLoad, {subfield(field, offset, bits), number});
}
Bytes load(Field field, std::uint64_t value) {
  return load(field, 0, kFieldPlaces[static_cast<std::size_t>(field)].bits, value);
}
Bytes move(const Bytes& from, const Bytes& to) { return of_parts(Action::kMove, {from, to}); }
Bytes push(const Bytes& from) { return of_parts(Action::kStackPush, {from}); }
Bytes pop(const Bytes& to) { return of_parts(Action::kStackPop, {to}); }
Bytes output_reg(const Bytes& from) { return of_parts(Action::kOutputReg, {from}, 0xffff); }
Bytes clone(std::initializer_list<Bytes> actions) { return of_parts(Action::kClone, {join(actions)}); }
Bytes leave() { return kit::record(static_cast<std::uint8_t>(Action::kExit), 8); }
Bytes resubmit(std::uint8_t table, std::uint32_t port = static_cast<std::uint32_t>(ReservedPort::kInPort)) {
  return of_parts(Action::kResubmit, {Bytes{table, 0, 0, 0, 0, 0, 0, 0}}, port);
}
kit::Match with(Field field, std::uint64_t value, std::uint64_t bits = ~std::uint64_t{0}) {
  return kit::Match().with(field, value, bits);
}

class NiciraTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }
  Counts pass(std::uint32_t in_port = 1) {
    switch_.receive(in_port, Udp().frame());
    return switch_.sent();
  }
  void flow(std::uint8_t table, const kit::Match& match, const Bytes& instructions, std::uint16_t priority = 9) {
    EXPECT_EQ(switch_.flow(table, priority, match, instructions), Status::kOk);
  }

  kit::Switch switch_;
};

TEST_F(NiciraTest, SomeBitsOfAFieldAreSet) {
  const Bytes reg = kit::set_masked(Field::kReg3, 0x50, 0xf0);
  const Bytes address = kit::set_masked(Field::kIpv4Dst, 0x00090007, 0x00ff00ff);
  flow(0, kit::to_ipv4(0, 0), join({apply({load(Field::kReg3, 0x12), reg, address}), go(1)}));
  flow(1, with(Field::kReg3, 0x52), kit::write({output(2), kit::set_masked(Field::kTcpFlags, 1, 1)}));
  switch_.receive(1, Udp{.destination = 0x0a141e28}.frame());
  EXPECT_EQ(load_be32(&switch_.port(2).sent.at(0)[30]), 0x0a091e07u);
  switch_.sent();
}

TEST_F(NiciraTest, RegistersGoAlongAndAreClearedForTheNext) {
  flow(0, kit::on_port(1), join({apply({load(Field::kReg0, 7), load(Field::kXreg7, 4, 8, 0xab)}), go(1)}));
  flow(0, kit::on_port(2), go(1));
  flow(1, with(Field::kReg0, 7).with(Field::kReg15, 0xab0, 0xff0), apply({output(3)}));
  flow(1, with(Field::kReg0, 0).with(Field::kReg15, 0), apply({output(4)}));
  EXPECT_EQ(pass(1), Counts({0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(pass(2), Counts({0, 0, 0, 1, 0, 0}));
}

TEST_F(NiciraTest, ViewsAreTheSameBits) {
  flow(0, kit::any(),
       join({apply({load(Field::kReg2, 0x11223344), load(Field::kReg3, 0x55667788),
                    move(subfield(Field::kXreg1, 16, 32), subfield(Field::kXxreg3, 96, 32))}),
             go(1)}));
  flow(1, with(Field::kReg12, 0x33445566), apply({output(2)}));
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
}

TEST_F(NiciraTest, ResubmitComesBackAndKeepsChanges) {
  flow(0, kit::any(), apply({resubmit(1), output(2), output_reg(subfield(Field::kReg1, 0, 16))}));
  flow(1, kit::any(), join({apply({load(Field::kReg1, 4), output(3)}), go(2)}));
  flow(2, with(Field::kReg1, 4), apply({kit::set_field(Field::kUdpDst, 99), output(5)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(load_be16(&switch_.port(2).sent.at(0)[36]), 99) << "changed by the flow of table 2";
  EXPECT_EQ(load_be16(&switch_.port(3).sent.at(0)[36]), 2000);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 1, 0}));
  EXPECT_EQ(switch_.pipeline.table(1).lookups, 1u);
  EXPECT_EQ(switch_.pipeline.table(2).matched, 1u);
}

TEST_F(NiciraTest, ResubmitAsAnotherPortIsForTheLookUpAlone) {
  flow(0, kit::any(), apply({resubmit(1, 6), resubmit(1), resubmit(2)}));
  flow(1, kit::on_port(6), apply({output(ReservedPort::kInPort), output(6)}));
  EXPECT_EQ(pass(1), Counts({1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kTableMiss), 0u) << "a resubmit may find nothing";
}

TEST_F(NiciraTest, ActionSetOfResubmittedFlowsIsCarriedOutAtTheEnd) {
  flow(0, kit::any(), apply({resubmit(1), output(2)}));
  flow(1, kit::any(), kit::write({output(3)}));
  EXPECT_EQ(pass(), Counts({0, 1, 1, 0, 0, 0}));
  flow(0, kit::any(), join({apply({resubmit(1), output(2)}), kit::clear()}));
  EXPECT_EQ(pass(), Counts({0, 1, 0, 0, 0, 0}));
}

TEST_F(NiciraTest, CirclesEnd) {
  flow(0, kit::any(), apply({resubmit(0)}));
  EXPECT_EQ(pass(), Counts(6, 0));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kResubmitLimit), 1u);
  EXPECT_EQ(switch_.pipeline.table(0).lookups, kResubmitDepthMax + 1u);
}

TEST_F(NiciraTest, LookUpsOfOnePacketAreBounded) {
  // Each table visits the next one twice: 2^20 look-ups without a bound.
  for (std::uint8_t table = 0; table < 20; ++table) {
    const auto next = static_cast<std::uint8_t>(table + 1);
    flow(table, kit::any(), apply({resubmit(next), resubmit(next)}));
  }
  EXPECT_EQ(pass(), Counts(6, 0));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kResubmitLimit), 1u);
  std::uint64_t lookups = 0;
  for (std::size_t table = 0; table <= 20; ++table) lookups += switch_.pipeline.table(table).lookups;
  EXPECT_EQ(lookups, kResubmitsMax + 1u);
}

TEST_F(NiciraTest, StackIsLastInFirstOutAndBounded) {
  flow(0, kit::any(),
       apply({load(Field::kReg0, 3), load(Field::kReg1, 4), push(subfield(Field::kReg0, 0, 32)),
              push(subfield(Field::kReg1, 0, 32)), pop(subfield(Field::kReg2, 0, 32)),
              output_reg(subfield(Field::kReg2, 0, 32)), pop(subfield(Field::kReg2, 0, 16)),
              output_reg(subfield(Field::kReg2, 0, 32)), load(Field::kReg2, 5), pop(subfield(Field::kReg2, 0, 32)),
              output_reg(subfield(Field::kReg2, 0, 32))}));
  EXPECT_EQ(pass(), Counts({0, 0, 1, 1, 1, 0}));
  Bytes actions;
  for (std::size_t i = 0; i <= kStackMax; ++i) actions = join({actions, push(subfield(Field::kReg0, 0, 32))});
  flow(0, kit::any(), apply({actions, output(2)}));
  EXPECT_EQ(pass(), Counts(6, 0));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kStackFull), 1u);
}

TEST_F(NiciraTest, CloneLeavesThePacketAsItWas) {
  flow(0, kit::any(),
       join({apply({push(subfield(Field::kUdpSrc, 0, 16)),
                    clone({kit::set_field(Field::kUdpDst, 7), load(Field::kReg0, 1), pop(subfield(Field::kReg5, 0, 32)),
                           output(2), leave(), output(6)}),
                    output(3), pop(subfield(Field::kReg6, 0, 32))}),
             go(1)}));
  flow(1, with(Field::kReg0, 0).with(Field::kReg6, 1000), apply({output(4)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(load_be16(&switch_.port(2).sent.at(0)[36]), 7);
  EXPECT_EQ(load_be16(&switch_.port(3).sent.at(0)[36]), 2000);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 0, 0}));
}

TEST_F(NiciraTest, ExitEndsEverythingButTheActionSet) {
  flow(0, kit::any(), join({kit::write({output(6)}), go(1)}));
  flow(1, kit::any(), join({apply({resubmit(2), output(2)}), go(3)}));
  flow(2, kit::any(), join({apply({output(3), leave(), output(4)}), go(3)}));
  flow(3, kit::any(), apply({output(5)}));
  EXPECT_EQ(pass(), Counts({0, 0, 1, 0, 0, 1}));
}

TEST_F(NiciraTest, InPortCanBeWritten) {
  flow(0, kit::any(), apply({output(1), load(Field::kInPort, 0), output(1)}));
  EXPECT_EQ(pass(1), Counts({1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kLoop), 1u);
}

TEST_F(NiciraTest, OutputToARegisterTakesReservedPortsOf16Bits) {
  flow(0, kit::any(), apply({load(Field::kReg0, 0xfff8), output_reg(subfield(Field::kReg0, 0, 16))}));
  EXPECT_EQ(pass(1), Counts({1, 0, 0, 0, 0, 0}));
}

TEST_F(NiciraTest, CheckPktLarger) {
  flow(0, kit::any(), join({apply({of_parts(Action::kCheckPktLarger, {subfield(Field::kReg0, 5, 1)}, 60)}), go(1)}));
  flow(1, with(Field::kReg0, 32), apply({output(2)}));
  flow(1, with(Field::kReg0, 0), apply({output(3)}));
  switch_.receive(1, {Udp{.bytes = 60}.frame(), Udp{.bytes = 61}.frame()});
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 0, 0, 0}));
}

TEST_F(NiciraTest, ControllerGetsDataAndRegisters) {
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.controller_state(true);
  switch_.pipeline.publish();
  Bytes controller = of_parts(Action::kController, {Bytes(8, 0), Bytes{1, 2, 3}}, 0xffff | 5u << 16);
  controller[8] = 2;  // reason
  kit::put(controller, 10, std::uint16_t{3});
  flow(0, kit::any(), apply({load(Field::kReg0, 0x01020304), load(Field::kReg9, 9), controller}));
  EXPECT_EQ(pass(), Counts(6, 0));
  const Bytes record = switch_.upcalls();
  ASSERT_EQ(record.size(), 64u + 64 + 8 + 8);
  EXPECT_EQ(record[1], 2);
  EXPECT_EQ(load_host<std::uint32_t>(&record[4]), record.size());
  EXPECT_EQ(load_host<std::uint16_t>(&record[22]), 5) << "controller";
  EXPECT_EQ(load_host<std::uint16_t>(&record[52]), 3) << "bytes of data";
  EXPECT_EQ(load_host<std::uint16_t>(&record[54]), 1u | 1u << 9) << "registers";
  EXPECT_EQ(Bytes(record.begin() + 128, record.end()), Bytes({1, 2, 3, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 9}));
}

TEST_F(NiciraTest, DecrementedTtlTellsEachController) {
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.controller_state(true);
  switch_.pipeline.publish();
  Bytes dec = of_parts(Action::kDecNwTtlIds, {Bytes{4, 0, 5, 0}}, 2);
  flow(0, kit::any(), apply({dec, output(2)}));
  switch_.receive(1, {Udp{.ttl = 2}.frame(), Udp{.ttl = 1}.frame()});
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 0, 0, 0, 0}));
  const Bytes records = switch_.upcalls();
  ASSERT_EQ(records.size(), 2u * (64 + 64));
  EXPECT_EQ(records[1], static_cast<std::uint8_t>(PacketInReason::kInvalidTtl));
  EXPECT_EQ(load_host<std::uint16_t>(&records[22]), 4);
  EXPECT_EQ(load_host<std::uint16_t>(&records[128 + 22]), 5);
}

Bytes output_trunc(std::uint32_t port, std::uint32_t bytes) {
  Bytes out = of_parts(Action::kOutputTrunc, {Bytes(8, 0)}, port);
  kit::put(out, 8, bytes);
  return out;
}

TEST_F(NiciraTest, TruncatedOutputIsACopy) {
  flow(0, kit::any(), apply({output_trunc(2, 20), output_trunc(3, 61), output(4), output_trunc(5, 60)}));
  const Bytes frame = Udp{.bytes = 61}.frame();
  switch_.receive(1, frame);
  EXPECT_EQ(switch_.port(2).sent.at(0), Bytes(frame.begin(), frame.begin() + 20));
  EXPECT_EQ(switch_.port(3).sent.at(0), frame);
  EXPECT_EQ(switch_.port(4).sent.at(0), frame);
  EXPECT_EQ(switch_.port(5).sent.at(0), Bytes(frame.begin(), frame.end() - 1));
}

Bytes sample(std::uint16_t probability, std::uint32_t set) {
  Bytes out = of_parts(Action::kSample, {Bytes(16, 0)}, probability);
  kit::put(out, 8, set);
  return out;
}

TEST_F(NiciraTest, SamplesAreCounted) {
  flow(0, kit::any(), apply({sample(0xffff, 7), clone({sample(0x4000, 9), sample(0xffff, 7)})}));
  constexpr unsigned kPackets = 4000;
  for (unsigned i = 0; i < kPackets; ++i) pass();
  const std::vector<SampleView> samples = switch_.pipeline.flows().samples();
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].collector_set, 7u);
  EXPECT_EQ(samples[0].count.packets, 2u * kPackets);
  EXPECT_EQ(samples[0].count.bytes, 2u * kPackets * 60);
  EXPECT_EQ(samples[1].collector_set, 9u);
  EXPECT_NEAR(static_cast<double>(samples[1].count.packets), kPackets / 4.0, kPackets / 40.0);
  flow(0, kit::any(), apply({output(2)}));
  for (int i = 0; i < 3; ++i) switch_.pipeline.tick(switch_.now);
  EXPECT_TRUE(switch_.pipeline.flows().samples().empty());
}

TEST_F(NiciraTest, ControllerPassesItsMeter) {
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.controller_state(true);
  switch_.pipeline.publish();
  const auto flags = static_cast<std::uint16_t>(MeterFlag::kPktps);
  ASSERT_EQ(switch_.meter(ModCommand::kAdd, 3, flags, {{.type = 1, .prec_level = 0, .rate = 2, .burst = 0}}),
            Status::kOk);
  Bytes controller = of_parts(Action::kController, {Bytes(8, 0)}, 0xffff);
  kit::put(controller, 12, std::uint32_t{3});
  flow(0, kit::any(), apply({controller, output(2)}));
  for (int i = 0; i < 10; ++i) pass();
  const std::size_t sent = switch_.upcalls().size() / (64 + 64);
  EXPECT_GE(sent, 1u);
  EXPECT_LE(sent, 3u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kMeter), 10 - sent);
}

Bytes conjunction(std::uint32_t id, std::uint8_t clause, std::uint8_t clauses) {
  return of_parts(Action::kConjunction, {Bytes{clause, clauses, 0, 0, 0, 0, 0, 0}}, id);
}

TEST_F(NiciraTest, ConjunctionsAreMatchesOfTheirClauses) {
  const auto from = [](std::uint32_t address) { return with(Field::kEthType, 0x0800).with(Field::kIpv4Src, address); };
  const auto to = [](std::uint64_t port) {
    return with(Field::kEthType, 0x0800).with(Field::kIpProto, 17).with(Field::kUdpDst, port);
  };
  flow(0, from(0x0a000001), apply({conjunction(5, 0, 2)}));
  flow(0, from(0x0a000002), apply({conjunction(5, 0, 2), conjunction(6, 0, 2)}));
  flow(0, to(80), apply({conjunction(5, 1, 2)}));
  flow(0, to(81), apply({conjunction(6, 1, 2), kit::record(static_cast<std::uint8_t>(Action::kNote), 8)}));
  flow(0, with(Field::kConjId, 5), apply({output(5)}));
  flow(0, with(Field::kConjId, 6), apply({output(6)}));
  flow(0, kit::any(), apply({output(2)}), 1);
  const auto sent = [&](std::uint32_t address, std::uint16_t port) {
    switch_.receive(1, Udp{.source = address, .destination_port = port}.frame());
    return switch_.sent();
  };
  EXPECT_EQ(sent(0x0a000001, 80), Counts({0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(sent(0x0a000002, 80), Counts({0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(sent(0x0a000002, 81), Counts({0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(sent(0x0a000001, 81), Counts({0, 1, 0, 0, 0, 0})) << "clauses of different conjunctions";
  EXPECT_EQ(sent(0x0a000003, 80), Counts({0, 1, 0, 0, 0, 0})) << "a clause is missing";
  flow(0, kit::on_port(1), apply({output(3)}), 10);
  EXPECT_EQ(sent(0x0a000001, 80), Counts({0, 0, 1, 0, 0, 0})) << "a higher priority wins";
  flow(1, kit::any(), apply({resubmit(0, 4)}));
  flow(0, kit::on_port(1), go(1), 10);
  EXPECT_EQ(sent(0x0a000001, 80), Counts({0, 0, 0, 0, 1, 0})) << "by resubmit";
}

TEST_F(NiciraTest, ConjunctionsStandAlone) {
  const auto status = [&](const Bytes& instructions) { return switch_.flow(0, 1, kit::any(), instructions); };
  EXPECT_EQ(status(apply({conjunction(1, 0, 2), output(1)})), Status::kBadAction);
  EXPECT_EQ(status(join({apply({conjunction(1, 0, 2)}), go(1)})), Status::kBadAction);
  EXPECT_EQ(status(kit::write({conjunction(1, 0, 2)})), Status::kBadAction);
  EXPECT_EQ(status(apply({clone({conjunction(1, 0, 2)})})), Status::kBadAction);
  EXPECT_EQ(status(apply({conjunction(1, 0, 1)})), Status::kBadAction);
  EXPECT_EQ(status(apply({conjunction(1, 2, 2)})), Status::kBadAction);
  EXPECT_EQ(status(apply({conjunction(1, 64, 65)})), Status::kBadAction);
}

Bytes bundle(std::uint16_t algorithm, const std::vector<std::uint32_t>& members, const Bytes& to = Bytes(8, 0)) {
  Bytes head(8, 0);
  Bytes list(4 * members.size());
  for (std::size_t i = 0; i < members.size(); ++i) kit::put(list, 4 * i, members[i]);
  return of_parts(Action::kBundle, {head, to, list}, static_cast<std::uint32_t>(members.size()) | algorithm << 16u);
}

TEST_F(NiciraTest, BundleTakesLiveMembers) {
  flow(0, kit::any(),
       apply({bundle(0, {3, 4, 77}), bundle(0, {4}, subfield(Field::kReg0, 0, 16)),
              output_reg(subfield(Field::kReg0, 0, 16))}));
  EXPECT_EQ(pass(), Counts({0, 0, 1, 1, 0, 0}));
  switch_.port(3).up = false;
  EXPECT_EQ(pass(), Counts({0, 0, 0, 2, 0, 0}));
  switch_.port(4).up = false;
  EXPECT_EQ(pass(), Counts(6, 0));
}

TEST_F(NiciraTest, BundleByWeightKeepsFlowsWhoseMemberLives) {
  flow(0, kit::any(), apply({bundle(1, {2, 3, 4, 5})}));
  const auto chosen = [&](std::uint8_t source) {
    switch_.receive(1, Udp{.source_mac = source}.frame());
    const Counts sent = switch_.sent();
    return static_cast<std::size_t>(std::find(sent.begin(), sent.end(), 1u) - sent.begin()) + 1;
  };
  std::vector<std::size_t> before;
  for (std::uint8_t source = 1; source < 60; ++source) before.push_back(chosen(source));
  for (std::size_t port = 2; port <= 5; ++port) EXPECT_GT(std::count(before.begin(), before.end(), port), 3) << port;
  switch_.port(3).up = false;
  for (std::uint8_t source = 1; source < 60; ++source) {
    const std::size_t was = before[source - 1u];
    EXPECT_EQ(chosen(source) == was, was != 3) << "source " << int{source};
  }
}

TEST_F(NiciraTest, MultipathWritesALink) {
  Bytes head(8, 0);
  flow(0, kit::any(),
       join({apply({load(Field::kReg1, 0xffffffff),
                    of_parts(Action::kMultipath, {head, subfield(Field::kReg1, 8, 4)}, 1)}),
             go(1)}));
  flow(1, with(Field::kReg1, 0xfffff0ff), apply({output(2)}));
  flow(1, with(Field::kReg1, 0xfffff1ff), apply({output(3)}));
  std::size_t first = 0, second = 0;
  for (std::uint8_t source = 1; source < 60; ++source) {
    switch_.receive(1, Udp{.source_mac = source}.frame());
    const Counts sent = switch_.sent();
    first += sent[1];
    second += sent[2];
  }
  EXPECT_EQ(first + second, 59u);
  EXPECT_GT(first, 10u);
  EXPECT_GT(second, 10u);
  EXPECT_EQ(
      switch_.flow(0, 1, kit::any(), apply({of_parts(Action::kMultipath, {head, subfield(Field::kReg1, 0, 1)}, 2)})),
      Status::kBadAction)
      << "three links in one bit";
}

TEST_F(NiciraTest, BucketsResubmit) {
  const Bytes actions = join({load(Field::kReg0, 3), resubmit(1)});
  BucketMod bucket;
  bucket.actions = actions;
  EXPECT_EQ(switch_.group(ModCommand::kAdd, 1, GroupType::kAll, {bucket, bucket}), Status::kOk);
  flow(0, kit::any(), apply({kit::group(1), output(2)}));
  flow(1, with(Field::kReg0, 3), apply({output(3), leave(), output(4)}));
  EXPECT_EQ(pass(), Counts({0, 1, 2, 0, 0, 0}));
}

TEST_F(NiciraTest, PacketOutResubmits) {
  flow(1, kit::any(), join({apply({output(2)}), kit::write({output(3)})}));
  Packet* const packet = kit::make_packet(switch_.pool, 1, Udp().frame());
  EXPECT_EQ(switch_.pipeline.packet_out(1, switch_.now, PortNo{1}, join({resubmit(1), output(4)}), packet),
            Status::kOk);
  EXPECT_EQ(switch_.sent(), Counts({0, 1, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace xvif
