// From guest: frames come out whole, hostile rings lose their port, nothing leaks.
#include <gtest/gtest.h>

#include <cstring>

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

using xen::TxRequest;

class VifTxTest : public ::testing::Test {
 protected:
  /// Puts raw slots on the ring, buffers of the frontend by number in gref's place.
  void post(const std::vector<TxRequest>& slots) {
    auto& queue = guest->queue();
    for (const TxRequest& slot : slots) queue.tx_page().write<xen::kTxSlotBytes>(queue.tx_req_prod()++, slot);
    queue.push_tx();
  }
  TxRequest slot(std::size_t buffer, std::uint16_t size, std::uint16_t flags = 0, std::uint16_t id = 0,
                 std::uint16_t offset = 0) {
    return {raw(guest->queue().tx_buffer_ref(buffer)), offset, flags, id, size};
  }
  std::vector<xen::TxResponse> responses() {
    std::vector<xen::TxResponse> all;
    auto& ring = guest->queue().tx_page();
    for (; seen != ring.load(xen::ring_at::kRspProd, std::memory_order_acquire); ++seen) {
      all.push_back(ring.read<xen::kTxSlotBytes, xen::TxResponse>(seen));
    }
    return all;
  }
  std::size_t receive(RigGuest& from, std::span<Packet*> out) { return from.port->queues()[0]->receive(rig.pool, out); }
  void expect_fault(const std::vector<TxRequest>& slots, VifFault fault) {
    post(slots);
    EXPECT_EQ(receive(*guest, batch), 0u);
    EXPECT_EQ(guest->port->fault(), fault);
    EXPECT_FALSE(guest->port->link_up());
    EXPECT_NE(guest->port->fault_text(), nullptr);
    guest->port->queues()[0]->flush();
    EXPECT_FALSE(guest->port->queues()[0]->arm());
    EXPECT_EQ(receive(*guest, batch), 0u);
  }

  VifRig rig;
  std::unique_ptr<RigGuest> guest = rig.guest(1);
  std::array<Packet*, kBatchMax> batch;
  std::uint32_t seen = 0;
};

TEST_F(VifTxTest, SmallFramesAreLinearAndAnsweredAtOnce) {
  const auto frame = plain_frame(60);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(send(guest->queue(), frame));
  guest->queue().push_tx();
  ASSERT_EQ(receive(*guest, batch), kBatchMax);
  EXPECT_EQ(std::memcmp(batch[0]->data, frame.data(), 60), 0);
  EXPECT_EQ(batch[0]->linear, 60u);
  EXPECT_EQ(batch[0]->payload, nullptr);
  guest->port->queues()[0]->flush();
  EXPECT_EQ(responses().size(), 0u) << "more frames wait: more responses will";
  std::array<Packet*, kBatchMax> rest;
  EXPECT_EQ(receive(*guest, rest), 8u);
  rig.pause(*guest);
  EXPECT_EQ(responses().size(), 40u) << "before the packets are released";
  for (Packet* packet : batch) packet->release();
  for (std::size_t i = 0; i < 8; ++i) rest[i]->release();
  EXPECT_EQ(guest->port->counters[0].rx_packets.load(), 40u);
  EXPECT_EQ(guest->port->counters[0].rx_bytes.load(), 40u * 60u);
}

TEST_F(VifTxTest, ResponsesComeInLotsWhileTheGuestSends) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(send(guest->queue(), plain_frame(60)));
  guest->queue().push_tx();
  std::size_t told = 0, most = 0;
  while (told < 192) {
    const std::size_t count = receive(*guest, batch);
    ASSERT_GT(count, 0u);
    for (std::size_t i = 0; i < count; ++i) batch[i]->release();
    guest->port->queues()[0]->flush();
    const std::size_t lot = responses().size();
    most = std::max(most, lot);
    told += lot;
  }
  EXPECT_EQ(most, kResponseLot);
}

TEST_F(VifTxTest, ResponsesToFramesCopiedWholeWaitForCompany) {
  PortQueue& queue = *guest->port->queues()[0];
  const auto send_one = [&] {
    ASSERT_TRUE(send(guest->queue(), plain_frame(60)));
    guest->queue().push_tx();
    ASSERT_EQ(receive(*guest, batch), 1u);
    batch[0]->release();
    queue.flush();
    ASSERT_EQ(receive(*guest, batch), 0u);
    queue.flush();
  };
  send_one();
  EXPECT_TRUE(responses().empty());
  EXPECT_EQ(queue.due_ns, queue.last_work_ns + kResponseHoldNs);
  // A frame for the guest interrupts it anyway.
  const auto peer = rig.guest(2);
  ASSERT_TRUE(send(peer->queue(), plain_frame(60)));
  peer->queue().push_tx();
  ASSERT_EQ(rig.forward(*peer, *guest), 1u);
  EXPECT_EQ(responses().size(), 1u);
  EXPECT_EQ(queue.due_ns, 0u);

  send_one();
  EXPECT_TRUE(responses().empty());
  queue.last_work_ns = queue.due_ns;  // as the worker does when it calls the queue in
  ASSERT_EQ(receive(*guest, batch), 0u);
  queue.flush();
  EXPECT_EQ(responses().size(), 1u);
  EXPECT_EQ(queue.due_ns, 0u);
}

TEST_F(VifTxTest, LargeFramesKeepTheirPagesUntilReleased) {
  const auto frame = plain_frame(9000);
  ASSERT_TRUE(send(guest->queue(), frame));
  guest->queue().push_tx();
  ASSERT_EQ(receive(*guest, batch), 1u);
  Packet* packet = batch[0];
  EXPECT_EQ(packet->linear, kPullBytes);
  EXPECT_EQ(packet->size, 9000u);
  ASSERT_NE(packet->payload, nullptr);
  EXPECT_EQ(packet->payload->bytes, 9000u - kPullBytes);
  Packet* copy = packet->clone();
  packet->release();
  guest->port->queues()[0]->flush();
  EXPECT_TRUE(responses().empty());
  std::vector<std::uint8_t> whole(9000);
  ASSERT_TRUE(rig.threads[0]->linearizer().copy_out(*copy, whole));
  EXPECT_EQ(whole, frame);
  copy->release();
  rig.pause(*guest);
  EXPECT_EQ(responses().size(), 3u);
  EXPECT_EQ(rig.pool.available(), 256u);
}

TEST_F(VifTxTest, HeadersSplitAtEveryByte) {
  const auto frame = l4_frame(false, true, 600, true);
  for (std::uint16_t first = 0; first < 80; ++first) {
    std::memcpy(guest->queue().tx_buffer(0), frame.data(), first);
    std::memcpy(guest->queue().tx_buffer(1), frame.data() + first, frame.size() - first);
    post({slot(0, static_cast<std::uint16_t>(frame.size()), xen::tx_flag::kMoreData),
          slot(1, static_cast<std::uint16_t>(frame.size() - first))});
    ASSERT_EQ(receive(*guest, batch), 1u);
    EXPECT_EQ(std::memcmp(batch[0]->data, frame.data(), kPullBytes), 0);
    std::vector<std::uint8_t> whole(frame.size());
    ASSERT_TRUE(rig.threads[0]->linearizer().copy_out(*batch[0], whole));
    EXPECT_EQ(whole, frame);
    batch[0]->release();
    guest->port->queues()[0]->flush();
  }
}

// XSA-432: many slots that together hold less than what is pulled.
TEST_F(VifTxTest, ManyTinySlots) {
  for (std::uint16_t each = 0; each < 3; ++each) {
    std::vector<TxRequest> slots{slot(0, static_cast<std::uint16_t>(20 + 17 * each), xen::tx_flag::kMoreData)};
    for (std::uint16_t i = 1; i < 18; ++i) {
      slots.push_back(slot(i, each, i < 17 ? xen::tx_flag::kMoreData : std::uint16_t{0}, i));
    }
    post(slots);
    ASSERT_EQ(receive(*guest, batch), 1u);
    EXPECT_EQ(batch[0]->size, 20u + 17u * each);
    EXPECT_EQ(batch[0]->linear, batch[0]->size);
    batch[0]->release();
    guest->port->queues()[0]->flush();
  }
}

TEST_F(VifTxTest, IdsAreEchoedAndExtrasAnsweredWithNull) {
  const auto frame = l4_frame(false, true, 3000, true);
  std::memcpy(guest->queue().tx_buffer(0), frame.data(), 2000);
  std::memcpy(guest->queue().tx_buffer(1), frame.data() + 2000, frame.size() - 2000);
  TxRequest gso{};
  const xen::ExtraInfo info{xen::extra::kGso, 0, 1448, 1, 0, 0};
  std::memcpy(&gso, &info, sizeof info);
  using namespace xen::tx_flag;
  post({slot(0, static_cast<std::uint16_t>(frame.size()), kMoreData | kExtraInfo | kCsumBlank, 0xffff), gso,
        slot(1, static_cast<std::uint16_t>(frame.size() - 2000), 0, 0x3ff)});
  ASSERT_EQ(receive(*guest, batch), 1u);
  EXPECT_EQ(batch[0]->gso, Gso::kTcpv4);
  EXPECT_EQ(batch[0]->gso_size, 1448);
  EXPECT_TRUE(batch[0]->csum_blank);
  batch[0]->release();
  rig.pause(*guest);
  const auto all = responses();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].id, 0xffff);
  EXPECT_EQ(all[1].status, xen::rsp::kNull);
  EXPECT_EQ(all[2].id, 0x3ff);
  EXPECT_EQ(all[2].status, xen::rsp::kOkay);
}

// XSA-216
TEST_F(VifTxTest, NothingOfOursIsInTheRestOfAResponsesSlot) {
  const auto request = slot(0, 60, 0, 7, 9);
  post({request});
  ASSERT_EQ(receive(*guest, batch), 1u);
  batch[0]->release();
  rig.pause(*guest);
  const auto after = guest->queue().tx_page().read<xen::kTxSlotBytes, TxRequest>(0);
  EXPECT_EQ(after.gref, 7u) << "id 7, status 0";
  EXPECT_EQ(after.offset, request.offset);
  EXPECT_EQ(after.flags, request.flags);
  EXPECT_EQ(after.id, request.id);
  EXPECT_EQ(after.size, request.size);
}

TEST_F(VifTxTest, TwentySlotsAreDroppedWithErrors) {
  std::vector<TxRequest> slots{slot(0, 100, xen::tx_flag::kMoreData)};
  for (std::uint16_t i = 1; i < 20; ++i) {
    slots.push_back(slot(i, 1, i < 19 ? xen::tx_flag::kMoreData : std::uint16_t{0}, i));
  }
  post(slots);
  EXPECT_EQ(receive(*guest, batch), 0u);
  guest->port->queues()[0]->flush();
  const auto all = responses();
  ASSERT_EQ(all.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(all[i].status, xen::rsp::kError);
  EXPECT_TRUE(guest->port->link_up());
  EXPECT_EQ(guest->rx_dropped(Drop::kGuestError), 1u);
}

TEST_F(VifTxTest, BadGrantsAreErrors) {
  auto bad = slot(0, 60);
  bad.gref = 0xdeadbeef;
  auto ring = slot(0, 60);
  ring.gref = raw(guest->queue().refs().tx_ring);  // odd, but its own business
  post({bad, ring, slot(1, 60)});
  EXPECT_EQ(receive(*guest, batch), 2u);
  batch[0]->release();
  batch[1]->release();
  EXPECT_EQ(guest->rx_dropped(Drop::kCopyFailed), 1u);
}

TEST_F(VifTxTest, BlankChecksumOfWhatHasNone) {
  for (const auto& frame : {plain_frame(60), plain_frame(14)}) {
    ASSERT_TRUE(send(guest->queue(), frame, {.csum_blank = true}));
  }
  guest->queue().push_tx();
  EXPECT_EQ(receive(*guest, batch), 0u);
  EXPECT_EQ(guest->rx_dropped(Drop::kMalformed), 2u);
  EXPECT_TRUE(guest->port->link_up());
}

TEST_F(VifTxTest, GsoMustFitThePacket) {
  const auto v4 = l4_frame(false, true, 3000, true);
  ASSERT_TRUE(send(guest->queue(), v4, {.csum_blank = true, .gso_size = 1448, .gso_type = 2}));  // says IPv6
  ASSERT_TRUE(send(guest->queue(), l4_frame(false, false, 3000, true), {.gso_size = 1448, .gso_type = 1}));  // UDP
  ASSERT_TRUE(send(guest->queue(), plain_frame(60), {.gso_size = 1448, .gso_type = 1}));
  ASSERT_TRUE(send(guest->queue(), v4, {.gso_size = 2, .gso_type = 1}));  // 1500 pieces
  guest->queue().push_tx();
  EXPECT_EQ(receive(*guest, batch), 0u);
  EXPECT_EQ(guest->rx_dropped(Drop::kMalformed), 3u);
  EXPECT_EQ(guest->rx_dropped(Drop::kTooBig), 1u);
  ASSERT_TRUE(send(guest->queue(), v4, {.gso_size = 1448, .gso_type = 1}));    // checksum not blank: we make it so
  ASSERT_TRUE(send(guest->queue(), v4, {.gso_size = 0xffff, .gso_type = 1}));  // nothing to cut
  guest->queue().push_tx();
  ASSERT_EQ(receive(*guest, batch), 2u);
  EXPECT_TRUE(batch[0]->csum_blank);
  EXPECT_EQ(batch[0]->gso, Gso::kTcpv4);
  EXPECT_EQ(batch[1]->gso, Gso::kNone);
  batch[0]->release();
  batch[1]->release();
}

TEST_F(VifTxTest, FatalFaults) { expect_fault({slot(0, 60, 0, 0, 4090)}, VifFault::kCrossesPage); }
TEST_F(VifTxTest, FatalUnfinished) {
  expect_fault({slot(0, 60, xen::tx_flag::kMoreData)}, VifFault::kUnfinishedPacket);
}
TEST_F(VifTxTest, FatalSlots) {
  std::vector<TxRequest> slots;
  for (std::uint16_t i = 0; i < 22; ++i) {
    slots.push_back(slot(i, i == 0 ? 100 : 1, i < 21 ? xen::tx_flag::kMoreData : std::uint16_t{0}));
  }
  expect_fault(slots, VifFault::kTooManySlots);
}

TEST_F(VifTxTest, IndexJumpsAreFatal) {
  for (const std::uint32_t jump : {257u, 0x8000'0000u, 0xffff'ffffu, 0xffff'ff00u}) {
    SCOPED_TRACE(jump);
    auto other = rig.guest(static_cast<std::uint16_t>(100 + jump % 97));
    other->queue().tx_page().store(xen::ring_at::kReqProd, jump, std::memory_order_release);
    EXPECT_EQ(receive(*other, batch), 0u);
    EXPECT_EQ(other->port->fault(), VifFault::kRequestsBeyondRing);
  }
}

TEST_F(VifTxTest, ScribbledIndicesOfOursAreIgnored) {
  auto& page = guest->queue().tx_page();
  for (const std::uint32_t value : {0u, 77u, 0xffff'ffffu}) {
    page.store(xen::ring_at::kRspProd, value, std::memory_order_relaxed);
    page.store(xen::ring_at::kReqEvent, value, std::memory_order_relaxed);
    page.store(xen::ring_at::kRspEvent, value, std::memory_order_relaxed);
    post({slot(0, 60)});
    ASSERT_EQ(receive(*guest, batch), 1u);
    batch[0]->release();
    rig.pause(*guest);
  }
  EXPECT_EQ(page.load(xen::ring_at::kRspProd, std::memory_order_relaxed), 3u);
}

TEST_F(VifTxTest, WorkPerCallIsBounded) {
  auto& queue = guest->queue();
  for (int turn = 0; turn < 100; ++turn) {
    for (int i = 0; i < 32; ++i) post({slot(0, 60)});
    ASSERT_LE(receive(*guest, batch), kBatchMax);
    for (Packet* packet : batch) packet->release();
    guest->port->queues()[0]->flush();
  }
  EXPECT_EQ(queue.tx_page().load(xen::ring_at::kRspProd, std::memory_order_relaxed), 3200u);
}

TEST_F(VifTxTest, PoolRunsDry) {
  PacketPool small{2};
  const auto frame = plain_frame(60);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send(guest->queue(), frame));
  guest->queue().push_tx();
  PortQueue& queue = *guest->port->queues()[0];
  ASSERT_EQ(queue.receive(small, batch), 2u);
  EXPECT_EQ(queue.receive(small, std::span(batch).subspan(2)), 0u);
  EXPECT_TRUE(queue.arm()) << "frames still wait";
  batch[0]->release();
  batch[1]->release();
  EXPECT_EQ(queue.receive(small, batch), 2u);
  batch[0]->release();
  batch[1]->release();
  EXPECT_EQ(queue.receive(small, batch), 1u);
  batch[0]->release();
}

}  // namespace
}  // namespace xvif::netback
