// netif.h's TX grammar, and the limits that Linux' netback sets (reference xen-netif.md §1.4): one test per row.
#include "netback/tx_assemble.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace xvif::netback {
namespace {

using xen::TxRequest;
using namespace xen::tx_flag;

TxRequest slot(std::uint16_t size, std::uint16_t flags = 0, std::uint16_t offset = 0, std::uint16_t id = 0) {
  return {100, offset, flags, id, size};
}
TxRequest info(std::uint8_t type, bool more = false, std::uint16_t gso_size = 0, std::uint8_t gso_type = 0) {
  const xen::ExtraInfo extra{type, more ? xen::extra::kMore : std::uint8_t{0}, gso_size, gso_type, 0, 0};
  TxRequest request{};
  std::memcpy(&request, &extra, sizeof extra);
  return request;
}
/// A packet of `count` data slots with one byte in each but the first, which has enough for an Ethernet frame.
std::vector<TxRequest> chain(std::size_t count) {
  std::vector<TxRequest> slots{slot(static_cast<std::uint16_t>(60 + count - 1))};
  for (std::size_t i = 1; i < count; ++i) {
    slots.back().flags |= kMoreData;
    slots.push_back(slot(1));
  }
  return slots;
}

class AssembleTest : public ::testing::Test {
 protected:
  TxResult run(const std::vector<TxRequest>& slots) { return assemble(slots, packet); }
  void expect_fault(const std::vector<TxRequest>& slots, VifFault fault) {
    const TxResult result = run(slots);
    EXPECT_EQ(result.verdict, TxVerdict::kFault);
    EXPECT_EQ(result.fault, fault) << to_string(result.fault);
  }
  TxPacket packet;
};

TEST_F(AssembleTest, OneSlot) {
  const TxResult result = run({slot(60, 0, 16, 0xffff), slot(99)});
  EXPECT_EQ(result.verdict, TxVerdict::kPacket);
  EXPECT_EQ(result.consumed, 1u);
  EXPECT_EQ(packet.size, 60u);
  EXPECT_EQ(packet.count, 1);
  EXPECT_EQ(packet.slots[0].size, 60);
  EXPECT_EQ(packet.slots[0].offset, 16);
  EXPECT_EQ(packet.id, 0xffff) << "ids are opaque";
}

TEST_F(AssembleTest, FirstSizeIsTheTotal) {
  const TxResult result = run({slot(5000, kMoreData), slot(2000, kMoreData), slot(1000)});
  EXPECT_EQ(result.verdict, TxVerdict::kPacket);
  EXPECT_EQ(result.consumed, 3u);
  EXPECT_EQ(packet.slots[0].size, 2000);
  EXPECT_EQ(packet.slots[1].size, 2000);
  EXPECT_EQ(packet.slots[2].size, 1000);
}

TEST_F(AssembleTest, FirstSlotMayBeEmpty) {
  EXPECT_EQ(run({slot(60, kMoreData), slot(60)}).verdict, TxVerdict::kPacket);
  EXPECT_EQ(packet.slots[0].size, 0);
}

TEST_F(AssembleTest, FurtherSlotsMayBeEmpty) {
  EXPECT_EQ(run({slot(60, kMoreData), slot(0, kMoreData, 0xffff & 4096), slot(0)}).verdict, TxVerdict::kPacket);
  EXPECT_EQ(packet.count, 3);
  EXPECT_EQ(packet.slots[0].size, 60);
}

TEST_F(AssembleTest, SlotLimits) {
  for (const std::size_t count : {1u, 18u, 19u}) EXPECT_EQ(run(chain(count)).verdict, TxVerdict::kPacket) << count;
  for (const std::size_t count : {20u, 21u}) {
    const TxResult result = run(chain(count));
    EXPECT_EQ(result.verdict, TxVerdict::kDrop) << count;
    EXPECT_EQ(result.consumed, count) << "the ring stays in step";
    EXPECT_EQ(packet.count, count);
  }
  for (const std::size_t count : {22u, 23u, 255u, 256u}) expect_fault(chain(count), VifFault::kTooManySlots);
}

TEST_F(AssembleTest, UnfinishedPacketIsFatal) {
  expect_fault({slot(60, kMoreData)}, VifFault::kUnfinishedPacket);
  expect_fault({slot(60, kMoreData), slot(1, kMoreData)}, VifFault::kUnfinishedPacket);
  expect_fault({slot(60, kExtraInfo)}, VifFault::kUnfinishedPacket);
  expect_fault({slot(60, kExtraInfo), info(4, true)}, VifFault::kUnfinishedPacket);
  expect_fault({slot(60, kExtraInfo | kMoreData), info(4)}, VifFault::kUnfinishedPacket);
}

TEST_F(AssembleTest, ExtraTypeZeroOrUnknownIsFatal) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 5, 6, 255})
    expect_fault({slot(60, kExtraInfo), info(type)}, VifFault::kBadExtra);
}

TEST_F(AssembleTest, ExtraChainOverWholeRing) {
  std::vector<TxRequest> slots{slot(60, kExtraInfo)};
  while (slots.size() < 256) slots.push_back(info(4, true));
  expect_fault(slots, VifFault::kUnfinishedPacket);
  slots.back() = info(4);
  const TxResult result = run(slots);
  EXPECT_EQ(result.verdict, TxVerdict::kPacket);
  EXPECT_EQ(result.consumed, 256u);
  EXPECT_EQ(packet.extras, 255);
}

TEST_F(AssembleTest, GsoSizeZeroOrUnknownTypeIsFatal) {
  expect_fault({slot(60, kExtraInfo), info(1, false, 0, 1)}, VifFault::kBadGso);
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 3, 255}) {
    expect_fault({slot(60, kExtraInfo), info(1, false, 1448, type)}, VifFault::kBadGso);
  }
}

TEST_F(AssembleTest, Gso) {
  const TxResult result = run(
      {slot(9000, kExtraInfo | kMoreData | kCsumBlank), info(1, false, 1448, 2), slot(4096, kMoreData), slot(4000)});
  EXPECT_EQ(result.verdict, TxVerdict::kPacket);
  EXPECT_EQ(result.consumed, 4u);
  EXPECT_EQ(packet.count, 3);
  EXPECT_EQ(packet.extras, 1);
  EXPECT_EQ(packet.gso, Gso::kTcpv6);
  EXPECT_EQ(packet.gso_size, 1448);
  EXPECT_TRUE(packet.csum_blank);
  EXPECT_EQ(packet.slots[0].size, 904);
}

TEST_F(AssembleTest, CrossingThePageIsFatal) {
  expect_fault({slot(60, 0, 4037)}, VifFault::kCrossesPage);
  expect_fault({slot(60, 0, 0xffff)}, VifFault::kCrossesPage);
  expect_fault({slot(0xffff)}, VifFault::kCrossesPage);
  expect_fault({slot(100, kMoreData), slot(20, 0, 4077)}, VifFault::kCrossesPage);
  EXPECT_EQ(run({slot(60, 0, 4036)}).verdict, TxVerdict::kPacket);
}

// Linux: old frontends overflow first.size with frames of 64 KiB and more.
TEST_F(AssembleTest, FragmentBeyondTheTotalIsDropped) {
  const TxResult result = run({slot(100, kMoreData), slot(101, kMoreData), slot(5)});
  EXPECT_EQ(result.verdict, TxVerdict::kDrop);
  EXPECT_EQ(result.consumed, 3u);
  EXPECT_EQ(run({slot(100, kMoreData), slot(60, kMoreData), slot(41)}).verdict, TxVerdict::kDrop) << "the sum";
  EXPECT_EQ(run({slot(100, kMoreData), slot(60, kMoreData), slot(40)}).verdict, TxVerdict::kPacket);
  expect_fault({slot(100, kMoreData), slot(101, kMoreData), slot(5000)}, VifFault::kCrossesPage);
}

TEST_F(AssembleTest, ShorterThanEthernetIsDropped) {
  EXPECT_EQ(run({slot(0)}).verdict, TxVerdict::kDrop);
  EXPECT_EQ(run({slot(13)}).verdict, TxVerdict::kDrop);
  EXPECT_EQ(run({slot(14)}).verdict, TxVerdict::kPacket);
}

TEST_F(AssembleTest, MulticastRequestsCarryNoPacket) {
  const TxResult result = run({slot(0, kExtraInfo), info(2, true), info(3), slot(60)});
  EXPECT_EQ(result.verdict, TxVerdict::kControl);
  EXPECT_EQ(result.consumed, 3u);
  EXPECT_EQ(packet.extras, 2);
  EXPECT_EQ(packet.count, 1);
}

TEST_F(AssembleTest, ExtraFlagOnAFragmentMeansNothing) {
  EXPECT_EQ(run({slot(100, kMoreData), slot(50, kExtraInfo)}).verdict, TxVerdict::kPacket);
}

}  // namespace
}  // namespace xvif::netback
