// A backend that is killed leaves a ring from which the next one answers each request once, whatever was held, answered
// out of order or half published. The frontend looks each response's id up and panics at one that is not in flight.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

class TxTakeoverTest : public ::testing::Test {
 protected:
  using Page = std::array<std::uint8_t, xen::kPageBytes>;

  void TearDown() override {
    while (!packets.empty()) release(0);
  }
  netfront::FrontQueue& front() { return guest->queue(); }
  Page page() {
    Page copy;
    std::memcpy(copy.data(), front().tx_page().page(), copy.size());
    return copy;
  }
  void set_page(const Page& page) { std::memcpy(front().tx_page().page(), page.data(), page.size()); }

  bool send_one(unsigned kind) {
    switch (kind % 4) {
      case 0:
        return send(front(), large);
      case 1:
        return send(front(), gso, {.csum_blank = true, .gso_size = 1400, .gso_type = 1});
      default:
        return send(front(), small);
    }
  }
  void receive() {
    std::array<Packet*, kBatchMax> batch;
    const std::size_t count = guest->port->queues()[0]->receive(rig.pool, batch);
    for (Packet* packet : std::span(batch).first(count)) {
      if (packet->size != small.size() && packet->size != large.size() && packet->size != gso.size()) ++torn;
      packets.push_back(packet);
    }
  }
  void release(std::size_t which) {
    packets[which]->release();
    packets.erase(packets.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void publish() {
    for (std::size_t had = packets.size() + 1; had != packets.size();) {
      had = packets.size();
      receive();
    }
    rig.pause(*guest);
    front().reap_tx();
    ASSERT_EQ(front().panicked(), "");
  }
  /// The backend dies with `left` on the ring, and another takes its place.
  void die(const Page& left) {
    while (!packets.empty()) release(0);
    guest->port->silence();
    guest->port->close();
    guest->port.reset();
    set_page(left);
    ASSERT_TRUE(rig.attach(*guest)) << guest->error;
  }
  /// Everything is answered, and a whole ring of new requests is, too.
  void expect_all_answered() {
    for (int turn = 0; turn < 20; ++turn) {
      receive();
      while (!packets.empty()) release(0);
    }
    publish();
    ASSERT_TRUE(guest->port->link_up()) << guest->port->fault_text();
    ASSERT_EQ(front().tx_room(), xen::kRingSlots);
    for (std::size_t i = 0; i < xen::kRingSlots; ++i) ASSERT_TRUE(send(front(), small));
    front().push_tx();
    for (std::size_t i = 0; i < xen::kRingSlots / kBatchMax; ++i) receive();
    EXPECT_EQ(packets.size(), xen::kRingSlots);
    while (!packets.empty()) release(0);
    publish();
    EXPECT_EQ(front().tx_room(), xen::kRingSlots);
  }

  VifRig rig;
  std::unique_ptr<RigGuest> guest = rig.guest(1);
  const std::vector<std::uint8_t> small = plain_frame(60), large = plain_frame(9000),
                                  gso = l4_frame(false, true, 30000, true);
  std::vector<Packet*> packets;
  std::size_t torn = 0;  // received with a size that nobody sent
};

TEST_F(TxTakeoverTest, AHeldFrameStandsBehindWhatWasAnsweredBeforeIt) {
  ASSERT_TRUE(send_one(0) && send_one(2) && send_one(1) && send_one(2));
  front().push_tx();
  receive();
  ASSERT_EQ(packets.size(), 4u);
  publish();
  const std::size_t held = xen::kRingSlots - front().tx_room();
  EXPECT_EQ(held, 3u + 9u) << "both small frames are answered";
  die(page());
  receive();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0]->size, large.size());
  EXPECT_EQ(packets[1]->size, gso.size());
  EXPECT_EQ(packets[1]->gso, Gso::kTcpv4);
  std::vector<std::uint8_t> whole(large.size());
  ASSERT_TRUE(rig.threads[0]->linearizer().copy_out(*packets[0], whole));
  EXPECT_EQ(whole, large);
  expect_all_answered();
}

TEST_F(TxTakeoverTest, AnyOrderOfAnswersOverManyLives) {
  std::mt19937 engine(1);
  const auto random = [&] { return static_cast<unsigned>(engine()); };
  for (int life = 0; life < 200; ++life) {
    for (unsigned deed = random() % 60; deed > 0; --deed) {
      switch (random() % 4) {
        case 0:
          while (random() % 4 != 0 && send_one(random())) continue;
          front().push_tx();
          break;
        case 1:
          receive();
          break;
        case 2:
          if (!packets.empty()) release(random() % packets.size());
          break;
        default:
          guest->port->queues()[0]->flush();
          if (random() % 4 == 0) publish();
      }
    }
    // What the guest has not looked at yet stays for it.
    die(page());
    if (HasFatalFailure()) return;
  }
  expect_all_answered();
  EXPECT_EQ(torn, 0u);
}

TEST_F(TxTakeoverTest, ResponsesHalfWrittenAndNotPublished) {
  constexpr std::size_t kSlots = 1 + 9 + 3 + 1;
  for (std::size_t written = 0; written <= kSlots; ++written) {
    SCOPED_TRACE(written);
    ASSERT_TRUE(send_one(2) && send_one(1) && send_one(0) && send_one(2));
    front().push_tx();
    Page left = page();
    receive();
    while (!packets.empty()) release(0);
    rig.pause(*guest);
    const std::uint32_t first =
        front().tx_page().load(xen::ring_at::kRspProd, std::memory_order_relaxed) - static_cast<std::uint32_t>(kSlots);
    const Page after = page();
    for (std::uint32_t i = first; i != first + written; ++i) {
      const std::size_t at = xen::ring_at::kSlots + i % xen::kRingSlots * xen::kTxSlotBytes;
      std::memcpy(left.data() + at, after.data() + at, xen::kTxSlotBytes);
    }
    die(left);
    expect_all_answered();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace xvif::netback
