// The control ring while frames flow on other threads (hostile-frontend checklist 25 and 26). For ThreadSanitizer and
// AddressSanitizer.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>

#include "netback/rss_vectors.h"
#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

namespace ctrl = xen::ctrl;

constexpr int kRounds = 400;

/// Thread 1 of the data plane: sends one TCP frame after the other to the guest until told to stop.
class Sender {
 public:
  explicit Sender(RigGuest& to) : thread_([this, &to] { run(to); }) {}
  ~Sender() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run(RigGuest& to) {
    PacketPool pool{64};
    const auto frame = l4_frame(false, true, 1000, false);
    FlowKey key;
    while (!stop_.load(std::memory_order_relaxed)) {
      Packet* const packet = pool.take();
      std::copy(frame.begin(), frame.end(), packet->data);
      packet->linear = packet->size = static_cast<std::uint32_t>(frame.size());
      parse(*packet, key);
      to.port->transmit(1, {&packet, 1});
      packet->release();
    }
  }
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The mapping and the key change all the time: each frame meets one state or another, never a mixture.
TEST(ControlStress, HashingChangesUnderTraffic) {
  VifRig rig;
  auto guest = rig.boot(1, 4);
  rig.with_control(*guest);
  ASSERT_TRUE(rig.attach(*guest)) << guest->error;
  const auto ask = [&](std::uint16_t type, std::array<std::uint32_t, 3> data, std::span<const std::uint8_t> page = {}) {
    return rig.ask(*guest, {type, data, {page.begin(), page.end()}, 0, true}).status;
  };
  const std::vector<std::uint8_t> input{10, 0, 0, 1, 10, 0, 0, 2, 1000 >> 8, 1000 & 255, 0, 80};
  std::array<std::uint8_t, 40> other_key = kRssKey;
  for (std::uint8_t& byte : other_key) byte = static_cast<std::uint8_t>(~byte);
  const std::array<std::uint32_t, 3> hashes{Toeplitz(kRssKey).hash(input), Toeplitz(other_key).hash(input),
                                            Toeplitz({}).hash(input)};
  ASSERT_EQ(ask(ctrl::kSetHashAlgorithm, {1, 0, 0}), ctrl::kSuccess);
  ASSERT_EQ(ask(ctrl::kSetHashFlags, {15, 0, 0}), ctrl::kSuccess);
  ASSERT_EQ(ask(ctrl::kSetHashMappingSize, {128, 0, 0}), ctrl::kSuccess);
  const auto all_to = [&](std::uint32_t queue) {
    const std::vector<std::uint32_t> entries(128, queue);
    return ask(ctrl::kSetHashMapping, {0, 128, 0},
               std::span(reinterpret_cast<const std::uint8_t*>(entries.data()), entries.size() * 4));
  };
  ASSERT_EQ(all_to(1), ctrl::kSuccess);
  std::size_t received = 0;
  {
    Sender sender(*guest);
    for (std::uint32_t round = 0; round < kRounds || received < 100; ++round) {
      ASSERT_EQ(all_to(1 + round % 2), ctrl::kSuccess);
      ASSERT_EQ(ask(ctrl::kSetHashKey, {0, 40, 0}, round % 3 == 0 ? kRssKey : other_key), ctrl::kSuccess);
      for (std::size_t i = 0; i < guest->queues.size(); ++i) {
        guest->queues[i]->receive(guest->collector, xen::kRingSlots);
        for (const Collector::Frame& frame : guest->collector.frames) {
          ASSERT_TRUE(frame.hashed);
          ASSERT_TRUE(std::find(hashes.begin(), hashes.end(), frame.hash) != hashes.end()) << frame.hash;
          ASSERT_TRUE(i == 1 || i == 2) << i;
        }
        received += guest->collector.frames.size();
        guest->collector.frames.clear();
      }
    }
  }
  EXPECT_TRUE(guest->port->link_up());
}

// Pages are mapped and unmapped while both directions use them; what was given back is never touched again.
TEST(ControlStress, StagingChangesUnderTraffic) {
  VifRig rig;
  auto guest = rig.boot(1), peer = rig.guest(2);
  rig.with_control(*guest);
  ASSERT_TRUE(rig.attach(*guest)) << guest->error;
  const std::size_t idle = rig.hypervisor.usage().grants_mapped;
  const auto list = guest->queue().staging_list();
  const auto large = plain_frame(20000);
  std::size_t delivered = 0, echoed = 0;
  {
    Sender sender(*guest);
    for (int round = 0; round < kRounds / 4; ++round) {
      netfront::ControlRequest request{
          round % 2 == 0 ? ctrl::kAddGrefMapping : ctrl::kDelGrefMapping, {0, 0, 512}, {}, 1, false};
      request.page.resize(list.size() * sizeof list[0]);
      std::memcpy(request.page.data(), list.data(), request.page.size());
      bool answered = false;
      ASSERT_TRUE(guest->control->request(request, [&](const netfront::ControlResult& result) {
        answered = true;
        EXPECT_EQ(result.status, ctrl::kSuccess);
      }));
      while (!answered) {
        guest->queue().reap_tx();
        if (send(guest->queue(), large)) guest->queue().push_tx();
        rig.forward(*guest, *peer);
        guest->turn_control(rig.pool);
        guest->control->poll();
        echoed += guest->receive();
        for (const Collector::Frame& frame : guest->collector.frames) ASSERT_EQ(frame.bytes.size(), 1054u);
        guest->collector.frames.clear();
        delivered += peer->receive();
        for (const Collector::Frame& frame : peer->collector.frames) ASSERT_EQ(frame.bytes, large);
        peer->collector.frames.clear();
      }
      EXPECT_EQ(rig.hypervisor.usage().grants_mapped, idle + (round % 2 == 0 ? 512 : 0));
    }
    while (echoed < 100) {
      echoed += guest->receive();
      guest->collector.frames.clear();
    }
  }
  EXPECT_GT(delivered, 100u);
  EXPECT_EQ(guest->queue().counters().rx_errors, 0u);
  EXPECT_EQ(guest->queue().counters().tx_dropped, 0u);
  EXPECT_TRUE(guest->port->link_up());
  EXPECT_EQ(rig.pool.available(), 256u);
}

/// Writes anything into the control ring and the pages that it names.
void scribble(RigGuest& guest, std::span<std::uint8_t* const> pages, std::span<const std::uint32_t> refs,
              std::atomic<bool>& stop) {
  std::mt19937 random(3);
  xen::RingPage& ring = guest.control->page();
  std::uint32_t prod = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const auto any = [&] { return static_cast<std::uint32_t>(random()); };
    xen::CtrlRequest request{static_cast<std::uint16_t>(any()),
                             static_cast<std::uint16_t>(any() % 12),
                             {any() % 3, any() % 600, any() % 130}};
    request.data[any() % 2] = refs[any() % refs.size()];
    ring.write<xen::kCtrlSlotBytes>(any(), request);
    const xen::CtrlGref entry{raw(guest.queue().tx_buffer_ref(any() % 256)), static_cast<std::uint16_t>(any() % 3), 0};
    xen::copy_shared(pages[any() % pages.size()] + any() % 511 * 8, &entry, sizeof entry);
    const auto rsp = ring.load(xen::ring_at::kRspProd, std::memory_order_acquire);
    prod = std::min(prod + any() % 4, rsp + 128);
    ring.store(xen::ring_at::kReqProd, prod, std::memory_order_release);
    ring.store(xen::ring_at::kRspEvent, any(), std::memory_order_relaxed);
    guest.control->notify();
  }
}

TEST(ControlStress, ScribblingGuest) {
  VifRig rig;
  auto hostile = rig.boot(1, 2), honest = rig.guest(2), peer = rig.guest(3);
  rig.with_control(*hostile);
  ASSERT_TRUE(rig.attach(*hostile)) << hostile->error;
  const std::size_t idle = rig.hypervisor.usage().grants_mapped;
  std::array<std::uint8_t*, 4> pages;
  std::array<std::uint32_t, 4> refs;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    pages[i] = hostile->domain->allocate_page();
    refs[i] = raw(*hostile->domain->grant(pages[i], xen::kBackendDomain, false));
  }
  std::atomic<bool> stop{false};
  std::thread scribbler([&] { scribble(*hostile, pages, refs, stop); });
  const auto frame = plain_frame(1000);
  std::size_t delivered = 0;
  {
    Sender sender(*hostile);
    for (int round = 0; round < kRounds * 5; ++round) {
      hostile->turn_control(rig.pool);
      hostile->receive();
      hostile->collector.frames.clear();
      honest->queue().reap_tx();
      if (send(honest->queue(), frame)) honest->queue().push_tx();
      rig.forward(*honest, *peer);
      delivered += peer->receive();
      peer->collector.frames.clear();
    }
  }
  stop = true;
  scribbler.join();
  EXPECT_EQ(delivered, static_cast<std::size_t>(kRounds) * 5);
  EXPECT_TRUE(hostile->port->link_up()) << hostile->port->fault_text();
  EXPECT_LE(rig.hypervisor.usage().grants_mapped, idle + 2 * kStagedPagesMax + kStagingListMax);
  hostile->port.reset();
  EXPECT_EQ(rig.hypervisor.usage().grants_mapped, 4u);
}

}  // namespace
}  // namespace xvif::netback
