// To guest: each frontend gets frames in the form it takes; those without buffers cost bounded memory.
#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>
#include <thread>

#include "netback/tcp_frame.h"
#include "netback/vif_queue.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

class VifRxTest : public ::testing::Test {
 protected:
  VifSpec without(void (*change)(VifSpec&)) {
    VifSpec spec = VifRig::full_features();
    change(spec);
    return spec;
  }
  void cross(RigGuest& to, const std::vector<std::uint8_t>& frame, const netfront::TxMeta& meta = {}) {
    ASSERT_TRUE(send(sender->queue(), frame, meta));
    sender->queue().push_tx();
    ASSERT_EQ(rig.forward(*sender, to), 1u);
    sender->queue().reap_tx();
  }

  VifRig rig;
  std::unique_ptr<RigGuest> sender = rig.guest(1);
};

TEST_F(VifRxTest, SizesFromOneToManySlots) {
  auto to = rig.guest(2);
  for (const std::size_t size : {14u, 60u, 255u, 256u, 257u, 1514u, 4096u, 4097u, 9014u, 65535u}) {
    SCOPED_TRACE(size);
    const auto frame = plain_frame(size, static_cast<std::uint8_t>(size));
    cross(*to, frame);
    ASSERT_EQ(to->receive(), 1u);
    EXPECT_EQ(to->collector.frames.back().bytes, frame);
    // The header's piece, then a slot for each of the sender's pages; a frame that fits one slot is packed.
    EXPECT_EQ(to->collector.frames.back().slots, size <= 4096 ? 1 : 1 + (size + 4095) / 4096);
  }
  EXPECT_EQ(to->queue().counters().rx_errors, 0u);
  EXPECT_EQ(to->port->counters[0].tx_packets.load(), 10u);
}

/// Counts what the backend asks the hypervisor to copy.
class CountingGrants final : public xen::GrantTable {
 public:
  explicit CountingGrants(std::unique_ptr<xen::GrantTable> real) : real_(std::move(real)) {}
  void* map(DomId domid, GrantRef ref) override { return real_->map(domid, ref); }
  void unmap(void* page) override { real_->unmap(page); }
  void copy(std::span<xen::CopySegment> segments) override {
    copies += segments.size();
    for (const auto& s : segments) {
      (s.source.local == nullptr && s.dest.local == nullptr ? grant_to_grant : through_us) += s.length;
    }
    real_->copy(segments);
  }
  std::size_t grant_to_grant = 0, through_us = 0, copies = 0;

 private:
  std::unique_ptr<xen::GrantTable> real_;
};

TEST_F(VifRxTest, PayloadOfALargeGsoFrameIsCopiedOnce) {
  auto counting = std::make_unique<CountingGrants>(rig.hypervisor.open_grants());
  CountingGrants& counts = *counting;
  VifThread thread(std::move(counting));
  rig.thread_pointers[0] = &thread;
  auto from = rig.guest(2), to = rig.guest(3);
  const auto frame = l4_frame(false, true, 65000, true);
  ASSERT_TRUE(send(from->queue(), frame, {.csum_blank = true, .gso_size = 1448, .gso_type = 1}));
  from->queue().push_tx();
  ASSERT_EQ(rig.forward(*from, *to), 1u);
  ASSERT_EQ(to->receive(), 1u);
  const auto& got = to->collector.frames[0];
  EXPECT_EQ(got.bytes, frame);
  EXPECT_TRUE(got.csum_blank);
  EXPECT_EQ(got.gso_size, 1448);
  EXPECT_EQ(got.gso_type, 1);
  EXPECT_EQ(got.slots, 18u);
  EXPECT_EQ(counts.copies, 1u + 1u + 16u) << "each of the sender's pages at once";
  EXPECT_EQ(counts.grant_to_grant, frame.size() - kPullBytes);
  EXPECT_EQ(counts.through_us, 2 * kPullBytes);
  from->port.reset();
  to->port.reset();
}

TEST_F(VifRxTest, WithoutGsoTheGuestGetsSegments) {
  for (const bool v6 : {false, true}) {
    auto to = rig.guest(v6 ? 3 : 2, without([](VifSpec& s) { s.gso_tcpv4 = s.gso_tcpv6 = false; }));
    const auto frame = l4_frame(v6, true, 20000, true);
    cross(*to, frame, {.csum_blank = true, .gso_size = 1400, .gso_type = static_cast<std::uint8_t>(v6 ? 2 : 1)});
    ASSERT_EQ(to->receive(), 15u);
    std::vector<std::uint8_t> payload;
    const std::size_t headers = v6 ? 74 : 54;
    for (const auto& got : to->collector.frames) {
      EXPECT_FALSE(got.csum_blank);
      EXPECT_EQ(got.gso_size, 0);
      EXPECT_LE(got.bytes.size(), headers + 1400);
      EXPECT_TRUE(checksums_right(got.bytes));
      payload.insert(payload.end(), got.bytes.begin() + static_cast<std::ptrdiff_t>(headers), got.bytes.end());
    }
    EXPECT_EQ(payload, std::vector<std::uint8_t>(frame.begin() + static_cast<std::ptrdiff_t>(headers), frame.end()));
  }
}

TEST_F(VifRxTest, WithoutScatterGather) {
  auto to = rig.guest(2, without([](VifSpec& s) { s.sg = false; }));
  cross(*to, plain_frame(4096));
  EXPECT_EQ(to->receive(), 1u);
  cross(*to, plain_frame(4097));
  EXPECT_EQ(to->receive(), 0u);
  EXPECT_EQ(to->tx_dropped(Drop::kTooBig), 1u);
  cross(*to, l4_frame(false, true, 20000, true), {.csum_blank = true, .gso_size = 1400, .gso_type = 1});
  EXPECT_EQ(to->receive(), 15u) << "gso needs sg: segmented";
  for (const auto& got : to->collector.frames) EXPECT_EQ(got.slots, 1u);
}

TEST_F(VifRxTest, ChecksumRulesPerFamily) {
  auto none = rig.guest(2, without([](VifSpec& s) { s.csum_blank_ipv4 = s.csum_blank_ipv6 = false; }));
  auto only4 = rig.guest(3, without([](VifSpec& s) { s.csum_blank_ipv6 = false; }));
  for (const bool v6 : {false, true}) {
    for (const std::size_t size : {10u, 1400u, 8000u}) {
      for (const bool tcp : {false, true}) {
        const auto blank = l4_frame(v6, tcp, size, true), full = l4_frame(v6, tcp, size, false);
        cross(*none, blank, {.csum_blank = true});
        ASSERT_EQ(none->receive(), 1u);
        EXPECT_FALSE(none->collector.frames.back().csum_blank);
        EXPECT_EQ(none->collector.frames.back().bytes, full);
        cross(*only4, blank, {.csum_blank = true});
        ASSERT_EQ(only4->receive(), 1u);
        EXPECT_EQ(only4->collector.frames.back().csum_blank, !v6);
        EXPECT_EQ(only4->collector.frames.back().bytes, v6 ? full : blank);
        cross(*none, full);
        ASSERT_EQ(none->receive(), 1u);
        EXPECT_EQ(none->collector.frames.back().bytes, full);
      }
    }
  }
}

TEST_F(VifRxTest, ResponsesAreInOrderInTheSlotOfTheirRequest) {
  auto to = rig.boot(2, 1, true, 0);
  ASSERT_TRUE(rig.attach(*to));
  auto& queue = to->queue();
  for (std::uint16_t i = 0; i < 10; ++i) {  // ids that are not slot numbers
    queue.rx_page().write<xen::kRxSlotBytes>(
        i, xen::RxRequest{static_cast<std::uint16_t>(0xff00 + i), 0xaaaa, raw(queue.rx_buffer_ref(i))});
  }
  queue.rx_page().store(xen::ring_at::kReqProd, 10, std::memory_order_release);
  cross(*to, l4_frame(false, true, 9000, true), {.csum_blank = true, .gso_size = 1400, .gso_type = 1});
  cross(*to, plain_frame(60));
  ASSERT_EQ(queue.rx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire), 6u);
  const std::int16_t statuses[] = {kPullBytes, 0, 4096 - kPullBytes, 4096, 9054 - 8192, 60};
  for (std::uint32_t i = 0; i < 6; ++i) {
    if (i == 1) {
      const auto info = queue.rx_page().read<xen::kRxSlotBytes, xen::ExtraInfo>(i);
      EXPECT_EQ(info.type, xen::extra::kGso);
      EXPECT_EQ(info.gso_size, 1400);
      continue;
    }
    const auto response = queue.rx_page().read<xen::kRxSlotBytes, xen::RxResponse>(i);
    EXPECT_EQ(response.id, 0xff00 + i);
    EXPECT_EQ(response.status, statuses[i]);
    EXPECT_EQ(response.offset, 0);
    EXPECT_EQ(response.flags & xen::rx_flag::kMoreData, i == 0 || i == 2 || i == 3 ? xen::rx_flag::kMoreData : 0);
  }
}

TEST_F(VifRxTest, NoBuffersIsBoundedInPacketsAndBytes) {
  auto small = rig.guest(2, VifRig::full_features(), 1, true, 0);
  for (std::size_t i = 0; i < kBacklogPackets + 100; ++i) cross(*small, plain_frame(60));
  EXPECT_EQ(small->tx_dropped(Drop::kBacklogFull), 100u);
  auto large = rig.guest(3, VifRig::full_features(), 1, true, 0);
  for (int i = 0; i < 20; ++i) cross(*large, plain_frame(65000));
  EXPECT_EQ(large->tx_dropped(Drop::kBacklogFull), 20 - kBacklogBytes / 65000);
  EXPECT_EQ(rig.pool.available(), 256u) << "the backlog holds no packets";
  // Buffers come: everything kept arrives, in order, first from receive(), then with the next transmit.
  small->queue().post_rx(256);
  std::array<Packet*, kBatchMax> none;
  small->port->queues()[0]->receive(rig.pool, none);
  EXPECT_EQ(small->receive(), 256u);
  cross(*small, plain_frame(77));
  std::size_t received = 256 + small->receive();
  while (const std::size_t more = (small->port->queues()[0]->receive(rig.pool, none), small->receive()))
    received += more;
  EXPECT_EQ(received, kBacklogPackets + 1);
  EXPECT_EQ(small->tx_dropped(Drop::kBacklogFull), 100u);
  EXPECT_EQ(small->collector.frames.back().bytes.size(), 77u) << "order is kept";
}

// XSA-392: a packet is begun only when all the slots it needs are there.
TEST_F(VifRxTest, NeededSlotsAreThereBeforeAPacketBegins) {
  auto to = rig.guest(2, VifRig::full_features(), 1, true, 16);
  const auto frame = l4_frame(false, true, 65000, true);  // 16 data slots and the extra info
  cross(*to, frame, {.csum_blank = true, .gso_size = 1448, .gso_type = 1});
  EXPECT_EQ(to->queue().rx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire), 0u);
  cross(*to, plain_frame(60));
  EXPECT_EQ(to->receive(), 0u) << "order is kept";
  EXPECT_EQ(to->queue().rx_page().load(xen::ring_at::kReqEvent, std::memory_order_relaxed), 17u);
  to->queue().post_rx(17);
  std::array<Packet*, kBatchMax> none;
  to->port->queues()[0]->receive(rig.pool, none);
  ASSERT_EQ(to->receive(), 1u);
  to->port->queues()[0]->receive(rig.pool, none);
  EXPECT_EQ(to->receive(), 1u);
  EXPECT_EQ(to->collector.frames[0].bytes, frame);
}

TEST_F(VifRxTest, RxIndexJumpIsFatal) {
  auto to = rig.guest(2);
  to->queue().rx_page().store(xen::ring_at::kReqProd, 100000, std::memory_order_release);
  cross(*to, plain_frame(60));
  EXPECT_EQ(to->port->fault(), VifFault::kRequestsBeyondRing);
  cross(*to, plain_frame(60));
  EXPECT_EQ(to->tx_dropped(Drop::kLinkDown), 2u);
}

TEST_F(VifRxTest, BadReceiveGrantIsAnError) {
  auto to = rig.boot(2, 1, true, 0);
  ASSERT_TRUE(rig.attach(*to));
  auto& queue = to->queue();
  queue.rx_page().write<xen::kRxSlotBytes>(0, xen::RxRequest{0, 0, 12345});
  queue.rx_page().write<xen::kRxSlotBytes>(1, xen::RxRequest{1, 0, raw(queue.tx_buffer_ref(0))});  // read-only
  queue.rx_page().write<xen::kRxSlotBytes>(2, xen::RxRequest{2, 0, raw(queue.rx_buffer_ref(2))});
  queue.rx_page().store(xen::ring_at::kReqProd, 3, std::memory_order_release);
  for (int i = 0; i < 3; ++i) cross(*to, plain_frame(60));
  EXPECT_EQ(to->tx_dropped(Drop::kCopyFailed), 2u);
  EXPECT_EQ((queue.rx_page().read<xen::kRxSlotBytes, xen::RxResponse>(0).status), xen::rsp::kError);
  EXPECT_EQ((queue.rx_page().read<xen::kRxSlotBytes, xen::RxResponse>(1).status), xen::rsp::kError);
  EXPECT_EQ((queue.rx_page().read<xen::kRxSlotBytes, xen::RxResponse>(2).status), 60);
}

// The sender revokes its page between the two copies: a unikernel must not see an error response for it.
TEST_F(VifRxTest, SenderAtFaultDoesNotHurtAUnikernel) {
  auto to = rig.guest(2, without([](VifSpec& s) { s.sg = false; }));
  ASSERT_TRUE(send(sender->queue(), plain_frame(2000)));
  sender->queue().push_tx();
  std::array<Packet*, kBatchMax> batch;
  ASSERT_EQ(sender->port->queues()[0]->receive(rig.pool, batch), 1u);
  ASSERT_TRUE(sender->domain->end_access(sender->queue().tx_buffer_ref(0)));
  to->port->transmit(0, std::span(batch).first(1));
  batch[0]->release();
  sender->port->queues()[0]->flush();
  ASSERT_EQ(to->receive(), 1u);
  EXPECT_EQ(to->collector.frames[0].bytes, std::vector<std::uint8_t>(kFrameMin));
  EXPECT_EQ(to->tx_dropped(Drop::kCopyFailed), 1u);
}

TEST_F(VifRxTest, FlowsStayOnTheirQueue) {
  auto to = rig.guest(2, VifRig::full_features(), 4);
  std::array<std::size_t, 4> counts{};
  for (std::uint16_t port = 0; port < 64; ++port) {
    std::size_t first = 9;
    for (int i = 0; i < 3; ++i) {
      cross(*to, l4_frame(port % 2 != 0, port % 3 != 0, 100, false, port));
      std::size_t where = 9;
      for (std::size_t q = 0; q < 4; ++q) {
        if (to->queues[q]->receive(to->collector, 10) == 1) where = q;
      }
      ASSERT_LT(where, 4u);
      if (i == 0) first = where;
      EXPECT_EQ(where, first);
    }
    ++counts[first];
  }
  for (const std::size_t count : counts) EXPECT_GT(count, 4u) << "spread over all";
}

TEST_F(VifRxTest, FramesShorterThanEthernetTakeNoRequest) {
  auto to = rig.guest(9);
  for (std::uint32_t bytes = 0; bytes < 14; ++bytes) {
    Packet* packet = rig.pool.take();
    packet->linear = packet->size = bytes;
    to->port->transmit(0, {&packet, 1});
    packet->release();
  }
  EXPECT_EQ(to->receive(), 0u);
  EXPECT_EQ(to->tx_dropped(Drop::kMalformed), 14u);
  EXPECT_TRUE(to->port->link_up());
}

}  // namespace
}  // namespace xvif::netback
