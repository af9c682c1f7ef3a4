// Packets through tables, actions and ports.
#include <gtest/gtest.h>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::clear;
using kit::go;
using kit::Match;
using kit::output;
using kit::Udp;
using kit::write;
using Counts = std::vector<std::size_t>;

class ExecutionTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }
  Counts pass(std::uint32_t in_port, const Bytes& frame) {
    switch_.receive(in_port, frame);
    return switch_.sent();
  }
  Counts packet_out(std::uint32_t in_port, const Bytes& actions, const Bytes& frame) {
    Packet* const packet = kit::make_packet(switch_.pool, in_port, frame);
    status_ = switch_.pipeline.packet_out(1, switch_.now, PortNo{in_port}, actions, packet);
    return switch_.sent();
  }
  void controller(bool connected) {
    switch_.pipeline.begin(switch_.now, false);
    switch_.pipeline.controller_state(connected);
    switch_.pipeline.publish();
  }
  void configure(std::uint32_t port, PortConfig bit, bool on = true) {
    switch_.pipeline.begin(switch_.now, false);
    const auto mask = static_cast<std::uint32_t>(bit);
    EXPECT_EQ(switch_.pipeline.port_config(PortNo{port}, on ? mask : 0, mask), Status::kOk);
    switch_.pipeline.publish();
  }

  kit::Switch switch_;
  Status status_ = Status::kOk;
};

TEST_F(ExecutionTest, DropsOnMissWithoutTableMissFlow) {
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kTableMiss), 1u);
  EXPECT_EQ(switch_.pipeline.table(0).lookups, 1u);
  EXPECT_EQ(switch_.pipeline.table(0).matched, 0u);
}

TEST_F(ExecutionTest, OutputsInOrderOfPriority) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  switch_.flow(0, 9, kit::to_ipv4(0x0a000000, 0xff000000), apply({output(3)}));
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(pass(1, Udp{.destination = 0x0b000001}.frame()), Counts({0, 1, 0, 0, 0, 0}));
}

TEST_F(ExecutionTest, CountsDropOfFlowsWithoutOutput) {
  switch_.flow(0, 1, kit::any(), {});
  pass(4, Udp().frame());
  EXPECT_EQ(switch_.port(4).dropped(Drop::kNoOutput), 1u);
}

TEST_F(ExecutionTest, EachOutputGetsThePacketAsItIsThen) {
  switch_.flow(0, 1, kit::any(),
               apply({output(2), kit::set_field(Field::kEthDst, 0x020000000099), output(3),
                      kit::set_field(Field::kEthDst, 0x020000000077)}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(2).sent.at(0)[5], 0x02);
  EXPECT_EQ(switch_.port(3).sent.at(0)[5], 0x99);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoOutput), 0u);
}

TEST_F(ExecutionTest, GoesThroughTablesWithMetadata) {
  switch_.flow(0, 1, kit::on_port(1), kit::join({kit::metadata(0x1200, 0xff00), go(5)}));
  switch_.flow(5, 1, kit::any(), kit::join({kit::metadata(0x0034, 0x00ff), go(200)}));
  switch_.flow(200, 5, Match().with(Field::kMetadata, 0x1234), apply({output(4)}));
  switch_.flow(200, 1, kit::any(), apply({output(5)}));
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(switch_.pipeline.table(200).matched, 1u);
}

TEST_F(ExecutionTest, ActionSetRunsAtTheEndInItsOwnOrder) {
  switch_.flow(0, 1, kit::any(),
               kit::join({write({output(2), kit::set_field(Field::kEthSrc, 0x020000000055)}), go(1)}));
  switch_.flow(1, 1, kit::any(), kit::join({apply({output(4)}), write({output(3)})}));
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(switch_.port(4).sent.at(0)[11], 1);
  EXPECT_EQ(switch_.port(3).sent.at(0)[11], 0x55);
  EXPECT_EQ(switch_.sent(), Counts({0, 0, 1, 1, 0, 0}));
}

TEST_F(ExecutionTest, ClearActionsEmptiesTheSet) {
  switch_.flow(0, 1, kit::any(), kit::join({write({output(2)}), go(1)}));
  switch_.flow(1, 1, kit::any(), kit::join({clear(), go(2)}));
  switch_.flow(2, 1, kit::any(), {});
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoOutput), 1u);
}

TEST_F(ExecutionTest, GroupOfTheSetWinsOverOutput) {
  const Bytes to_five = output(5);
  switch_.group(ModCommand::kAdd, 1, GroupType::kIndirect, {{.actions = to_five}});
  switch_.flow(0, 1, kit::any(), write({output(2), kit::group(1)}));
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 0, 0, 0, 1, 0}));
}

TEST_F(ExecutionTest, NeverBackByNumberButByInPort) {
  switch_.flow(0, 1, kit::any(), apply({output(1)}));
  EXPECT_EQ(pass(1, Udp().frame())[0], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kLoop), 1u);
  switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kInPort)}));
  EXPECT_EQ(pass(1, Udp().frame())[0], 1u);
}

TEST_F(ExecutionTest, FloodSkipsIngressAndBlockedPorts) {
  switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kFlood)}));
  configure(3, PortConfig::kNoFwd);
  configure(4, PortConfig::kDown);
  EXPECT_EQ(pass(1, Udp().frame()), Counts({0, 1, 0, 0, 1, 1}));
}

TEST_F(ExecutionTest, FloodAndNormalButNotAllSkipPortsThatAreNotFlooded) {
  configure(3, PortConfig::kNoFlood);
  for (const auto port : {ReservedPort::kFlood, ReservedPort::kNormal}) {
    switch_.flow(0, 1, kit::any(), apply({output(port)}));
    EXPECT_EQ(pass(1, Udp().frame())[2], 0u);
  }
  switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kAll)}));
  EXPECT_EQ(pass(1, Udp().frame())[2], 1u);
}

TEST_F(ExecutionTest, FramesOfTheSpanningTreeAreLetInByABitOfTheirOwn) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  auto bridge_frame = Udp().frame();
  std::ranges::copy(std::array<std::uint8_t, 6>{0x01, 0x80, 0xc2, 0, 0, 0}, bridge_frame.begin());
  configure(1, PortConfig::kNoRecv);
  EXPECT_EQ(pass(1, Udp().frame())[1], 0u);
  EXPECT_EQ(pass(1, bridge_frame)[1], 1u);
  configure(1, PortConfig::kNoRecv, false);
  configure(1, PortConfig::kNoRecvStp);
  EXPECT_EQ(pass(1, Udp().frame())[1], 1u);
  EXPECT_EQ(pass(1, bridge_frame)[1], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoRecv), 2u);
}

TEST_F(ExecutionTest, HonoursPortConfiguration) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  configure(1, PortConfig::kNoRecv);
  EXPECT_EQ(pass(1, Udp().frame())[1], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoRecv), 1u);
  configure(1, PortConfig::kNoRecv, false);
  configure(2, PortConfig::kNoFwd);
  EXPECT_EQ(pass(1, Udp().frame())[1], 0u);
  EXPECT_EQ(switch_.port(2).tx_dropped(Drop::kNoFwd), 1u);
  configure(2, PortConfig::kNoFwd, false);
  configure(2, PortConfig::kDown);
  EXPECT_EQ(pass(1, Udp().frame())[1], 0u);
  EXPECT_EQ(switch_.port(2).tx_dropped(Drop::kPortDown), 1u);
}

TEST_F(ExecutionTest, OutputToUnknownPortIsCounted) {
  switch_.flow(0, 1, kit::any(), apply({output(77)}));
  pass(1, Udp().frame());
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoPort), 1u);
}

TEST_F(ExecutionTest, NormalLearns) {
  switch_.flow(0, 1, kit::any(), apply({output(ReservedPort::kNormal)}));
  EXPECT_EQ(pass(1, Udp{.source_mac = 1, .destination_mac = 2}.frame()), Counts({0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(pass(2, Udp{.source_mac = 2, .destination_mac = 1}.frame()), Counts({1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(pass(1, Udp{.source_mac = 1, .destination_mac = 2}.frame()), Counts({0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(pass(2, Udp{.source_mac = 3, .destination_mac = 2}.frame()), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(2).dropped(Drop::kLoop), 1u);
  switch_.pipeline.detach(PortNo{2});
  EXPECT_EQ(pass(1, Udp{.source_mac = 1, .destination_mac = 2}.frame()), Counts({0, 0, 1, 1, 1, 1}));
  Bytes reserved = Udp().frame();
  std::copy_n(Bytes{0x01, 0x80, 0xc2, 0, 0, 0x0e}.begin(), 6, reserved.begin());
  EXPECT_EQ(pass(1, reserved), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(switch_.port(1).dropped(Drop::kReservedMac), 1u);
}

TEST_F(ExecutionTest, FragmentsCanBeDropped) {
  switch_.flow(0, 1, kit::any(), apply({output(2)}));
  Bytes fragment = Udp().frame();
  store_be16(&fragment[20], 0x2000);
  EXPECT_EQ(pass(1, fragment)[1], 1u);
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.set_config(FragMode::kDrop);
  switch_.pipeline.publish();
  EXPECT_EQ(pass(1, fragment)[1], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kFrag), 1u);
}

TEST_F(ExecutionTest, PacketInCarriesFrameAndContext) {
  controller(true);
  switch_.flow(0, 1, kit::any(), kit::join({kit::metadata(0xabc, ~0ull), go(3)}));
  FlowMod mod = kit::add(3, 0, kit::any(), {});
  const Bytes up = apply({output(static_cast<std::uint32_t>(ReservedPort::kController), 128)});
  mod.instructions = up;
  mod.cookie = 0x1122;
  switch_.flow(mod);
  const Bytes frame = Udp{.bytes = 101}.frame();
  pass(4, frame);
  const Bytes record = switch_.upcalls();
  ASSERT_EQ(record.size(), 64u + 104u);
  EXPECT_EQ(record[0], static_cast<std::uint8_t>(Upcall::kPacketIn));
  EXPECT_EQ(record[1], static_cast<std::uint8_t>(PacketInReason::kNoMatch));
  EXPECT_EQ(record[2], 3);
  EXPECT_EQ(load_host<std::uint64_t>(&record[8]), 0x1122u);
  EXPECT_EQ(load_host<std::uint32_t>(&record[16]), 4u);
  EXPECT_EQ(load_host<std::uint16_t>(&record[20]), 128u);
  EXPECT_EQ(load_host<std::uint32_t>(&record[28]), 101u);
  EXPECT_EQ(load_be64(&record[32]), 0xabcu);
  EXPECT_TRUE(std::equal(frame.begin(), frame.end(), record.begin() + 64));
  EXPECT_EQ(switch_.port(4).dropped(Drop::kNoOutput), 0u);
}

TEST_F(ExecutionTest, PacketInNeedsControllerAndPermission) {
  switch_.flow(0, 5, kit::any(), apply({output(ReservedPort::kController)}));
  pass(1, Udp().frame());
  EXPECT_TRUE(switch_.upcalls().empty());
  EXPECT_EQ(switch_.port(1).dropped(Drop::kUpcallFull), 1u);
  controller(true);
  configure(1, PortConfig::kNoPacketIn);
  pass(1, Udp().frame());
  EXPECT_TRUE(switch_.upcalls().empty());
  pass(2, Udp().frame());
  EXPECT_EQ(switch_.upcalls()[1], static_cast<std::uint8_t>(PacketInReason::kAction));
}

TEST_F(ExecutionTest, OnePortCannotFillTheUpcallQueue) {
  controller(true);
  switch_.flow(0, 5, kit::any(), apply({output(ReservedPort::kController)}));
  const std::vector<Bytes> batch(32, Udp{.bytes = 1500}.frame());
  for (int i = 0; i < 200; ++i) switch_.receive(1, batch);
  EXPECT_GT(switch_.port(1).dropped(Drop::kUpcallFull), 0u);
  switch_.receive(2, batch);
  EXPECT_EQ(switch_.port(2).dropped(Drop::kUpcallFull), 0u);
  EXPECT_LE(switch_.upcalls().size(), 2 * kUpcallBytesPerPort + batch.size() * 1600);
  switch_.receive(1, batch);
  EXPECT_EQ(switch_.upcalls().size(), 32u * (64 + 1504));
}

TEST_F(ExecutionTest, InvalidTtlGoesUp) {
  controller(true);
  switch_.flow(0, 5, kit::any(), apply({kit::action(Action::kDecNwTtl), output(2)}));
  EXPECT_EQ(pass(1, Udp{.ttl = 1}.frame())[1], 0u);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kTtl), 1u);
  EXPECT_EQ(switch_.upcalls().at(1), static_cast<std::uint8_t>(PacketInReason::kInvalidTtl));
  EXPECT_EQ(pass(1, Udp{.ttl = 2}.frame())[1], 1u);
}

TEST_F(ExecutionTest, PacketOutRunsActionsOrTables) {
  const auto controller_port = static_cast<std::uint32_t>(ReservedPort::kController);
  EXPECT_EQ(packet_out(controller_port, kit::join({output(2), output(3)}), Udp().frame()), Counts({0, 1, 1, 0, 0, 0}));
  switch_.flow(0, 5, kit::on_port(6), apply({output(4)}));
  EXPECT_EQ(packet_out(6, output(ReservedPort::kTable), Udp().frame()), Counts({0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(packet_out(6, kit::group(9), Udp().frame()), Counts({0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(status_, Status::kUnknownGroup);
  EXPECT_EQ(packet_out(controller_port, output(ReservedPort::kAll), Udp().frame()), Counts({1, 1, 1, 1, 1, 1}));
}

TEST_F(ExecutionTest, KeepsTheOrderOfAFlowOverManyBatches) {
  switch_.flow(0, 5, kit::any(), apply({output(2)}));
  for (std::uint16_t batch = 0; batch < 10; ++batch) {
    std::vector<Bytes> frames;
    for (std::uint16_t i = 0; i < 32; ++i) {
      frames.push_back(Udp{.source_port = static_cast<std::uint16_t>(batch * 32 + i)}.frame());
    }
    switch_.receive(1, frames);
  }
  ASSERT_EQ(switch_.port(2).sent.size(), 320u);
  for (std::uint16_t i = 0; i < 320; ++i) EXPECT_EQ(load_be16(&switch_.port(2).sent[i][34]), i);
}

TEST_F(ExecutionTest, CopiesOfOnePacketAreBounded) {
  Bytes actions;
  for (std::size_t i = 0; i < kClonesMax + 10; ++i) actions = kit::join({actions, output(2)});
  Bytes instruction = kit::record(static_cast<std::uint8_t>(Instruction::kApplyActions), 8 + actions.size());
  std::copy(actions.begin(), actions.end(), instruction.begin() + 8);
  switch_.flow(0, 5, kit::any(), instruction);
  EXPECT_EQ(pass(1, Udp().frame())[1], kClonesMax);
  EXPECT_EQ(switch_.port(1).dropped(Drop::kNoRoom), 10u);
}

}  // namespace
}  // namespace xvif
