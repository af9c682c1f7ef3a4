// A hostile guest rewrites its rings and pages while two threads transmit to it and one receives from it. Run under
// ThreadSanitizer and AddressSanitizer; the only demands are that nothing breaks and that others are served.
#include <gtest/gtest.h>
#include <poll.h>

#include <random>
#include <thread>

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

constexpr int kRounds = 3000;

/// Writes anything anywhere into the guest's ring pages and buffers.
/// `wild`: such that the guest soon loses its port; else what is written stays just within the protocol.
void scribble(RigGuest& guest, std::atomic<bool>& stop, std::uint32_t seed, bool wild) {
  std::mt19937 engine(seed);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  auto& queue = guest.queue();
  std::uint32_t tx_prod = 0, rx_prod = 256;
  while (!stop.load(std::memory_order_relaxed)) {
    const std::uint32_t at = random();
    xen::TxRequest tx{raw(queue.tx_buffer_ref(at % 256)), static_cast<std::uint16_t>(random() % (wild ? 4500 : 1000)),
                      static_cast<std::uint16_t>(random() % (wild ? 16 : 4)), static_cast<std::uint16_t>(random()),
                      static_cast<std::uint16_t>(random() % 3000)};
    queue.tx_page().write<xen::kTxSlotBytes>(at, tx);
    queue.rx_page().write<xen::kRxSlotBytes>(at, xen::RxRequest{tx.id, 0, raw(queue.rx_buffer_ref(at % 256))});
    const std::uint32_t zero = 0;
    xen::copy_shared(queue.tx_buffer(at % 256) + at % 4000, &zero, sizeof zero);
    const auto rsp = queue.tx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire);
    tx_prod = std::min(tx_prod + random() % 4, rsp + 256);
    queue.tx_page().store(xen::ring_at::kReqProd, tx_prod, std::memory_order_release);
    const auto rx_rsp = queue.rx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire);
    rx_prod = std::min(rx_prod + random() % 8, rx_rsp + 256);
    queue.rx_page().store(xen::ring_at::kReqProd, rx_prod, std::memory_order_release);
    queue.rx_page().store(xen::ring_at::kRspEvent, at, std::memory_order_relaxed);
    queue.notify_tx();
  }
}

class Nobody final : public ActiveQueues {
 public:
  void activate(PortQueue&) override {}
};

class VifStress : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(MildAndWild, VifStress, ::testing::Bool());

TEST_P(VifStress, ScribblingGuestTwoTransmitters) {
  VifRig rig;
  auto hostile = rig.guest(1);
  auto honest = rig.guest(2), peer = rig.guest(3);
  std::atomic<bool> stop{false};
  std::thread scribbler([&] { scribble(*hostile, stop, 7, GetParam()); });
  std::thread second([&] {  // data plane thread 1: control-like, its own pool
    PacketPool pool{64};
    const auto frame = plain_frame(1000);
    while (!stop.load(std::memory_order_relaxed)) {
      Packet* packet = pool.take();
      std::copy(frame.begin(), frame.end(), packet->data);
      packet->linear = packet->size = 1000;
      hostile->port->transmit(1, {&packet, 1});
      packet->release();
    }
  });
  // Thread 0: the worker of all queues.
  const auto large = l4_frame(false, true, 30000, true);
  std::size_t delivered = 0;
  Nobody nobody;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 8 == 0) {
      send(honest->queue(), large, {.csum_blank = true, .gso_size = 1400, .gso_type = 1});
      honest->queue().push_tx();
    }
    rig.forward(*honest, round % 16 == 0 ? *hostile : *peer);
    rig.forward(*hostile, *peer);
    rig.source.dispatch(nobody);
    hostile->port->queues()[0]->arm();
    honest->queue().reap_tx();
    delivered += peer->receive();
    peer->collector.frames.clear();
  }
  stop = true;
  scribbler.join();
  second.join();
  EXPECT_GT(delivered, 100u);
  EXPECT_TRUE(honest->port->link_up());
  EXPECT_TRUE(GetParam() || hostile->port->link_up());
  EXPECT_EQ(rig.pool.available(), 256u);
}

// Many short lives of a domain while another thread keeps sending to it.
TEST(VifStressLives, DomainsComeAndGoUnderTraffic) {
  VifRig rig;
  auto peer = rig.guest(1);
  for (int life = 0; life < 20; ++life) {
    auto guest = rig.guest(2);
    std::atomic<bool> stop{false};
    std::thread sender([&] {
      PacketPool pool{4};
      while (!stop.load(std::memory_order_relaxed)) {
        Packet* packet = pool.take();
        packet->linear = packet->size = 200;
        guest->port->transmit(1, {&packet, 1});
        packet->release();
      }
    });
    std::thread killer([&] { rig.hypervisor.destroy_domain(DomId{2}); });
    for (int i = 0; i < 20; ++i) {
      send(guest->queue(), plain_frame(5000));
      guest->queue().push_tx();
      rig.forward(*guest, *peer);
      peer->receive();
    }
    killer.join();
    stop = true;
    sender.join();
    guest->port->silence();
    guest->port->close();
  }
  EXPECT_EQ(rig.hypervisor.usage().grants_mapped, 2u);
  EXPECT_EQ(rig.pool.available(), 256u);
}

// Frames cross between two queues of two workers, event by event: none is lost, nobody sleeps over work.
TEST(VifStressLives, NoWakeUpIsLost) {
  VifRig rig;
  auto from = rig.guest(1), to = rig.guest(2);
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    Nobody nobody;
    while (!stop.load(std::memory_order_relaxed)) {
      if (rig.forward(*from, *to) > 0) continue;
      if (from->port->queues()[0]->arm()) continue;
      pollfd p{rig.source.fd(), POLLIN, 0};
      ::poll(&p, 1, 200);
      rig.source.dispatch(nobody);
    }
  });
  const auto frame = plain_frame(300);
  std::size_t received = 0;
  for (std::size_t sent = 0; sent < 2000; ++sent) {
    ASSERT_TRUE(send(from->queue(), frame));
    from->queue().push_tx();
    const auto start = std::chrono::steady_clock::now();
    while (received <= sent) {
      received += to->receive();
      to->collector.frames.clear();
      if (received <= sent && !to->queue().arm()) {
        to->queue().unmask();
        pollfd p{rig.sink.fd(), POLLIN, 0};
        ::poll(&p, 1, 1000);
        std::array<std::uint64_t, 8> cookies;
        rig.sink.take(cookies);
      }
      ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << sent;
    }
    from->queue().reap_tx();
  }
  stop = true;
  worker.join();
  EXPECT_EQ(received, 2000u);
}

// Buffers that a guest posts while its backlog is being drained are used, or make an event: frames never lie there with
// buffers for them.
TEST(VifStressLives, BacklogIsNotStranded) {
  constexpr std::uint32_t kFrames = kBatchMax;
  VifRig rig;
  auto to = rig.guest(1, VifRig::full_features(), 1, true, 0);
  PortQueue& queue = *to->port->queues()[0];
  Nobody nobody;
  rig.source.dispatch(nobody);
  ASSERT_FALSE(queue.arm());
  const auto sent = [&] { return to->port->counters[0].tx_packets + to->port->counters[1].tx_packets; };
  std::array<Packet*, kBatchMax> packets;
  for (std::uint32_t round = 0; round < kRounds / 3u; ++round) {
    for (Packet*& packet : packets) {
      packet = rig.pool.take();
      packet->linear = packet->size = 1500;
    }
    std::atomic<bool> posting{false};
    std::thread guest([&] {
      netfront::FrontQueue& front = to->queue();
      posting = true;
      for (std::uint32_t i = 0; i < kFrames; ++i) {
        for (std::uint32_t spin = 0; spin < round % 400; ++spin) xen::full_barrier();
        const std::uint32_t from = front.rx_req_prod()++;
        const auto id = static_cast<std::uint16_t>(from & (xen::kRingSlots - 1));
        front.rx_page().write<xen::kRxSlotBytes>(from, xen::RxRequest{id, 0, raw(front.rx_buffer_ref(id))});
        front.rx_page().store(xen::ring_at::kReqProd, from + 1, std::memory_order_release);
        xen::full_barrier();
        const auto event = front.rx_page().load(xen::ring_at::kReqEvent, std::memory_order_relaxed);
        if (xen::must_notify(from, from + 1, event)) front.notify_rx();
      }
    });
    while (!posting.load(std::memory_order_relaxed)) {
    }
    to->port->transmit(1, packets);
    guest.join();
    for (Packet* packet : packets) packet->release();
    const std::uint64_t due = std::uint64_t{kFrames} * (round + 1);
    pollfd p{rig.source.fd(), POLLIN, 0};
    const bool event = ::poll(&p, 1, 0) > 0;
    ASSERT_TRUE(event || sent() == due) << "round " << round << ": " << due - sent() << " frames wait for nothing";
    if (!event) continue;
    rig.source.dispatch(nobody);
    do {
      ASSERT_EQ(queue.receive(rig.pool, packets), 0u);
    } while (queue.arm());
    ASSERT_EQ(sent(), due);
  }
  EXPECT_TRUE(to->port->link_up());
}

}  // namespace
}  // namespace xvif::netback
