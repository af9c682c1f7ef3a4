// Packets for the daemon's own agents: what they need of a packet, and how many each may have.
#include <gtest/gtest.h>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::apply;
using kit::Bytes;
using kit::output;
using kit::Udp;

constexpr LocalBudget budget_of(LocalAgent agent) { return kLocalBudgets[static_cast<std::size_t>(agent) - 1]; }

class LocalUpcallsTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(switch_.pool.available(), 1024u) << "packets were lost"; }
  /// Ports 1..kPorts hand all to the agent.
  void all_to(LocalAgent agent, std::uint16_t max_len = kControllerMaxLenNoBuffer) {
    switch_.flow(0, 5, kit::any(), apply({to(static_cast<std::uint8_t>(agent), max_len)}));
  }
  static Bytes to(std::uint8_t agent, std::uint16_t max_len = kControllerMaxLenNoBuffer) {
    Bytes action(24);
    action[0] = static_cast<std::uint8_t>(Action::kController);
    action[2] = 24;
    kit::put(action, 4, max_len);
    kit::put(action, 6, std::uint16_t{kLocalController});
    kit::put(action, 10, std::uint16_t{2});
    action[16] = agent;
    action[17] = 7;
    return action;
  }
  /// How many of them went up.
  std::size_t flood(std::uint32_t port, std::size_t packets, std::size_t thread = 0) {
    const std::uint64_t before = switch_.pipeline.upcalls().sent;
    for (std::size_t sent = 0; sent < packets; sent += 32) {
      std::vector<Packet*> batch;
      for (std::size_t i = 0; i < 32; ++i) batch.push_back(kit::make_packet(switch_.pool, port, Udp().frame()));
      switch_.pipeline.process(thread, switch_.now, batch);
    }
    return switch_.pipeline.upcalls().sent - before;
  }
  static LocalShares shares_of(LocalAgent agent) { return {budget_of(agent).all, kit::Switch::kPorts + 1}; }

  kit::Switch switch_;
};

TEST_F(LocalUpcallsTest, NeedNoController) {
  all_to(LocalAgent::kErrors);
  switch_.receive(1, Udp().frame());
  const Bytes record = switch_.upcalls();
  ASSERT_EQ(record.size(), 64u + 64u + 8u);
  EXPECT_EQ(load_host<std::uint16_t>(&record[22]), kLocalController);
  EXPECT_EQ(record[128], static_cast<std::uint8_t>(LocalAgent::kErrors));
  EXPECT_EQ(record[129], 7);
}

TEST_F(LocalUpcallsTest, CarryAsMuchOfThePacketAsIsAskedFor) {
  all_to(LocalAgent::kErrors, 100);
  const Bytes frame = Udp{.bytes = 1500}.frame();
  switch_.receive(1, frame);
  const Bytes record = switch_.upcalls();
  ASSERT_EQ(record.size(), 64u + 104u + 8u);
  EXPECT_EQ(load_host<std::uint32_t>(&record[24]), 1500u);
  EXPECT_EQ(load_host<std::uint32_t>(&record[28]), 100u);
  EXPECT_TRUE(std::equal(record.begin() + 64, record.begin() + 164, frame.begin()));
}

TEST_F(LocalUpcallsTest, SayWhatSegmentsTheyAreYetToBeCutInto) {
  all_to(LocalAgent::kUnresolved);
  Packet* const packet = kit::make_packet(switch_.pool, 1, Udp{.bytes = 1500}.frame());
  packet->gso = Gso::kTcpv4;
  packet->gso_size = 100;
  switch_.pipeline.process(0, switch_.now, std::array{packet});
  EXPECT_EQ(load_host<std::uint16_t>(&switch_.upcalls().at(60)), 100u);
  switch_.receive(1, Udp().frame());
  EXPECT_EQ(load_host<std::uint16_t>(&switch_.upcalls().at(60)), 0u);
}

TEST_F(LocalUpcallsTest, OfOnePortAreFewAndTakeNothingFromOthers) {
  all_to(LocalAgent::kErrors);
  EXPECT_EQ(flood(1, 1000), budget_of(LocalAgent::kErrors).port);
  EXPECT_GT(switch_.port(1).dropped(Drop::kUpcallFull), 0u);
  EXPECT_EQ(flood(2, 32), 32u);
  switch_.now += kit::Switch::kSecond;
  EXPECT_EQ(flood(1, 32), 32u);
}

TEST_F(LocalUpcallsTest, OfAllThreadsShareOneBudget) {
  all_to(LocalAgent::kFragments);
  const auto [all, port] = budget_of(LocalAgent::kFragments);
  std::size_t sent = 0;
  for (std::uint32_t n = 1; n <= kit::Switch::kPorts; ++n) sent += flood(n, 2 * port, n % 2);
  const LocalShares shares = shares_of(LocalAgent::kFragments);
  EXPECT_EQ(sent, shares.common() + kit::Switch::kPorts * shares.assured());
  EXPECT_LE(sent, all);
  switch_.now += kit::Switch::kSecond;
  EXPECT_EQ(flood(1, 2 * port, 0) + flood(1, 2 * port, 1), port);
}

TEST_F(LocalUpcallsTest, OfAPortWithinItsShareGoUpWhateverOthersSend) {
  for (const LocalAgent agent : {LocalAgent::kErrors, LocalAgent::kNeighbours, LocalAgent::kUnresolved,
                                 LocalAgent::kFragments, LocalAgent::kHealth}) {
    all_to(agent);
    for (std::uint32_t n = 1; n < kit::Switch::kPorts; ++n) flood(n, 1024);
    EXPECT_EQ(flood(kit::Switch::kPorts, 32), 32u) << static_cast<unsigned>(agent);
    switch_.upcalls();
  }
}

TEST_F(LocalUpcallsTest, OfNoPortHaveAShareAsThoseOfOne) {
  all_to(LocalAgent::kUnresolved);
  for (std::uint32_t n = 1; n <= kit::Switch::kPorts; ++n) flood(n, 1024);
  const std::uint64_t before = switch_.pipeline.upcalls().sent;
  constexpr auto kController = static_cast<std::uint32_t>(ReservedPort::kController);
  for (int i = 0; i < 1024; ++i) {
    Packet* const packet = kit::make_packet(switch_.pool, kController, Udp().frame());
    switch_.pipeline.packet_out(0, switch_.now, PortNo{kController}, output(ReservedPort::kTable), packet);
  }
  EXPECT_EQ(switch_.pipeline.upcalls().sent - before, shares_of(LocalAgent::kUnresolved).assured());
}

TEST_F(LocalUpcallsTest, AreShared) {
  constexpr LocalShares few(1000, 4);
  EXPECT_EQ(few.assured(), 125u);
  EXPECT_EQ(few.common(), 500u);
  constexpr LocalShares many(1000, 4096);
  EXPECT_EQ(many.assured(), 1u);
}

TEST_F(LocalUpcallsTest, OfOneAgentTakeNothingFromAnother) {
  all_to(LocalAgent::kErrors);
  EXPECT_LT(flood(1, 1000), 1000u);
  all_to(LocalAgent::kNeighbours);
  EXPECT_EQ(flood(1, 32), 32u);
}

TEST_F(LocalUpcallsTest, HaveRoomThatControllersDoNotFill) {
  switch_.pipeline.begin(switch_.now, false);
  switch_.pipeline.controller_state(true);
  switch_.pipeline.publish();
  switch_.flow(0, 5, kit::any(), apply({output(ReservedPort::kController)}));
  const std::vector<Bytes> batch(32, Udp{.bytes = 1500}.frame());
  for (std::uint32_t port = 1; port <= kit::Switch::kPorts; ++port) {
    for (int i = 0; i < 100; ++i) switch_.receive(port, batch);
    EXPECT_GT(switch_.port(port).dropped(Drop::kUpcallFull), 0u);
  }
  all_to(LocalAgent::kNeighbours);
  EXPECT_EQ(flood(1, 32), 32u);
}

TEST_F(LocalUpcallsTest, ForNoAgentGoNowhere) {
  for (const std::uint8_t agent : std::array<std::uint8_t, 3>{0, 6, 255}) {
    switch_.flow(0, 5, kit::any(), apply({to(agent)}));
    EXPECT_EQ(flood(1, 32), 0u) << unsigned{agent};
  }
  EXPECT_EQ(switch_.port(1).dropped(Drop::kUpcallFull), 96u);
}

}  // namespace
}  // namespace xvif
