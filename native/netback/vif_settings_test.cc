// What toolstack and frontend can change while traffic flows: rate, complete checksums, MTU, multicast, XDP headroom.
#include <gtest/gtest.h>
#include <poll.h>

#include <set>

#include "base/clock.h"
#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

constexpr std::array<std::uint8_t, 6> kGroup{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05};

class VifSettingsTest : public ::testing::Test {
 protected:
  void post(RigGuest& from, const std::vector<std::uint8_t>& frame, const netfront::TxMeta& meta = {}) {
    from.queue().reap_tx();
    ASSERT_TRUE(send(from.queue(), frame, meta));
    from.queue().push_tx();
  }
  /// One frame from the sender. Returns how many arrived.
  std::size_t cross(const std::vector<std::uint8_t>& frame, const netfront::TxMeta& meta = {}) {
    post(*sender, frame, meta);
    rig.forward(*sender, *receiver);
    return receiver->receive();
  }
  static std::vector<std::uint8_t> to(const std::array<std::uint8_t, 6>& address) {
    auto frame = plain_frame(100);
    std::copy(address.begin(), address.end(), frame.begin());
    return frame;
  }
  const Collector::Frame& last() const { return receiver->collector.frames.back(); }

  /// What the worker's loop would do with a queue that fell silent, and when its source wakes it.
  struct Woken final : ActiveQueues {
    void activate(PortQueue& queue) override { queues.insert(&queue); }
    std::set<PortQueue*> queues;
  };
  bool wakes(PortQueue& queue, int timeout_ms) {
    Woken woken;
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
    do {
      pollfd ready{rig.source.fd(), POLLIN, 0};
      if (::poll(&ready, 1, timeout_ms) > 0) rig.source.dispatch(woken);
    } while (!woken.queues.contains(&queue) && now_ns() < end);
    return woken.queues.contains(&queue);
  }
  std::size_t multicast(std::uint8_t type, const std::array<std::uint8_t, 6>& address) {
    receiver->queue().reap_tx();
    EXPECT_TRUE(receiver->queue().send_multicast(type, address));
    receiver->queue().push_tx();
    std::array<Packet*, kBatchMax> batch;
    const std::size_t count = receiver->port->queues()[0]->receive(rig.pool, batch);
    receiver->port->queues()[0]->flush();
    receiver->queue().reap_tx();
    return count;
  }

  VifRig rig;
  std::unique_ptr<RigGuest> sender = rig.guest(1), receiver = rig.guest(2);
  PortSettings settings;
};

TEST_F(VifSettingsTest, OverTheRateTheRingIsLeftAloneAndTheWorkerSleeps) {
  settings.rate = RateLimit{2000, 20'000};
  sender->port->configure(settings);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(send(sender->queue(), plain_frame(1000)));
  }
  sender->queue().push_tx();
  EXPECT_EQ(rig.forward(*sender, *receiver), 2u);
  EXPECT_EQ(rig.forward(*sender, *receiver), 0u);
  PortQueue& queue = *sender->port->queues()[0];
  EXPECT_FALSE(queue.arm()) << "frames without credit are no work";
  std::size_t passed = 2;
  while (passed < 10) {
    ASSERT_TRUE(wakes(queue, 5000)) << "after " << passed;
    passed += rig.forward(*sender, *receiver);
    queue.arm();
  }
  rig.pause(*sender);
  EXPECT_EQ(sender->queue().reap_tx(), 10u);
  EXPECT_EQ(sender->queue().counters().tx_dropped, 0u);
  EXPECT_EQ(receiver->receive(), 10u);
}

TEST_F(VifSettingsTest, APortThatGoesWhileItWaitsForCreditLeavesNoAlarm) {
  settings.rate = RateLimit{2000, 20'000};
  sender->port->configure(settings);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(send(sender->queue(), plain_frame(1000)));
  sender->queue().push_tx();
  rig.forward(*sender, *receiver);
  rig.forward(*sender, *receiver);
  EXPECT_FALSE(sender->port->queues()[0]->arm());
  sender->port.reset();
  receiver->port.reset();
  pollfd ready{rig.source.fd(), POLLIN, 0};
  Woken none;
  while (::poll(&ready, 1, 0) > 0) rig.source.dispatch(none);
  EXPECT_EQ(::poll(&ready, 1, 100), 0) << "an alarm for nobody would keep the worker awake";
}

TEST_F(VifSettingsTest, AHigherRateWakesAQueueThatWaitsForever) {
  settings.rate = RateLimit{1, 0xffff'ffff};
  sender->port->configure(settings);
  for (int i = 0; i < 3; ++i) post(*sender, plain_frame(1000));
  PortQueue& queue = *sender->port->queues()[0];
  EXPECT_EQ(rig.forward(*sender, *receiver), 1u);
  rig.forward(*sender, *receiver);
  Woken none;
  EXPECT_FALSE(queue.arm());
  rig.source.dispatch(none);
  sender->port->configure({});
  ASSERT_TRUE(wakes(queue, 5000));
  EXPECT_EQ(rig.forward(*sender, *receiver), 2u);
}

TEST_F(VifSettingsTest, ARateChangedBetweenReceiveAndArmIsNotMissed) {
  settings.rate = RateLimit{1, 0xffff'ffff};
  sender->port->configure(settings);
  for (int i = 0; i < 2; ++i) post(*sender, plain_frame(1000));
  EXPECT_EQ(rig.forward(*sender, *receiver), 1u);
  rig.forward(*sender, *receiver);
  PortQueue& queue = *sender->port->queues()[0];
  sender->port->configure({});
  EXPECT_TRUE(wakes(queue, 5000));  // it was awake, so nothing came of that
  EXPECT_TRUE(queue.arm());
  EXPECT_EQ(rig.forward(*sender, *receiver), 1u);
}

TEST_F(VifSettingsTest, TheRateIsOfTheVifNotOfEachQueue) {
  auto wide = rig.guest(3, VifRig::full_features(), 4);
  settings.rate = RateLimit{4000, 0xffff'ffff};
  wide->port->configure(settings);
  std::size_t passed = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (int frame = 0; frame < 8; ++frame) ASSERT_TRUE(send(*wide->queues[i], plain_frame(1000)));
    wide->queues[i]->push_tx();
    passed += rig.forward(*wide, *receiver, i);
  }
  EXPECT_EQ(passed, 4u);
}

TEST_F(VifSettingsTest, WhatGoesToTheGuestIsNotLimited) {
  settings.rate = RateLimit{1, 0xffff'ffff};
  receiver->port->configure(settings);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(cross(plain_frame(1000)), 1u);
}

TEST_F(VifSettingsTest, AForgottenQueueIsNotWoken) {
  settings.rate = RateLimit{1, 1000};
  sender->port->configure(settings);
  for (int i = 0; i < 2; ++i) post(*sender, plain_frame(100));
  rig.forward(*sender, *receiver);
  rig.forward(*sender, *receiver);
  PortQueue& queue = *sender->port->queues()[0];
  queue.arm();
  sender->port->silence();
  EXPECT_FALSE(wakes(queue, 300));
}

TEST_F(VifSettingsTest, ChecksumsAreCompletedAndLargeFramesCut) {
  settings.complete_checksums = true;
  receiver->port->configure(settings);
  ASSERT_EQ(cross(l4_frame(false, false, 500, true), {.csum_blank = true}), 1u);
  EXPECT_FALSE(last().csum_blank);
  EXPECT_EQ(last().bytes, l4_frame(false, false, 500, false));
  ASSERT_EQ(cross(l4_frame(true, true, 4000, true), {.csum_blank = true, .gso_size = 1000, .gso_type = 2}), 4u);
  for (std::size_t i = receiver->collector.frames.size() - 4; i < receiver->collector.frames.size(); ++i) {
    const auto& frame = receiver->collector.frames[i];
    EXPECT_EQ(frame.gso_size, 0u);
    EXPECT_FALSE(frame.csum_blank);
    EXPECT_EQ(frame.bytes.size(), 14u + 40 + 20 + 1000);
  }
  receiver->port->configure({});
  ASSERT_EQ(cross(l4_frame(true, true, 4000, true), {.csum_blank = true, .gso_size = 1000, .gso_type = 2}), 1u);
  EXPECT_EQ(last().gso_size, 1000u);
  EXPECT_TRUE(last().csum_blank);
}

TEST_F(VifSettingsTest, FramesBeyondTheMtuAreDroppedButForThoseYetToBeCut) {
  settings.mtu = 1500;
  receiver->port->configure(settings);
  EXPECT_EQ(cross(plain_frame(1514)), 1u);
  EXPECT_EQ(cross(plain_frame(1515)), 0u);
  EXPECT_EQ(receiver->tx_dropped(Drop::kTooBig), 1u);
  auto tagged = plain_frame(1518);
  tagged[12] = 0x81;
  tagged[13] = 0x00;
  EXPECT_EQ(cross(tagged), 1u);
  tagged.resize(1519);
  EXPECT_EQ(cross(tagged), 0u);
  EXPECT_EQ(cross(l4_frame(false, true, 8000, true), {.csum_blank = true, .gso_size = 1448, .gso_type = 1}), 1u);
  receiver->port->configure({});
  EXPECT_EQ(cross(plain_frame(9000)), 1u);
}

TEST_F(VifSettingsTest, OnlyTheMulticastAskedForWhileControlIsOn) {
  EXPECT_EQ(cross(to(kGroup)), 1u) << "control is off";
  settings.multicast_control = true;
  receiver->port->configure(settings);
  EXPECT_EQ(cross(to(kGroup)), 0u);
  EXPECT_EQ(receiver->tx_dropped(Drop::kMulticastFilter), 1u);
  EXPECT_EQ(cross(to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff})), 1u) << "broadcast passes";
  EXPECT_EQ(cross(to({0x02, 0, 0, 0, 0, 1})), 1u) << "unicast passes";
  EXPECT_EQ(multicast(xen::extra::kMcastAdd, kGroup), 0u) << "a dummy request is no packet";
  EXPECT_EQ(cross(to(kGroup)), 1u);
  EXPECT_EQ(cross(to({0x01, 0x00, 0x5e, 0x00, 0x00, 0x06})), 0u);
  multicast(xen::extra::kMcastDel, kGroup);
  EXPECT_EQ(cross(to(kGroup)), 0u);
  multicast(xen::extra::kMcastDel, kGroup);  // not there: ignored
  receiver->port->configure({});
  EXPECT_EQ(cross(to(kGroup)), 1u);
  EXPECT_EQ(receiver->queue().counters().tx_dropped, 0u);
}

TEST_F(VifSettingsTest, TheListIsKeptWhileControlIsOff) {
  multicast(xen::extra::kMcastAdd, kGroup);
  multicast(xen::extra::kMcastAdd, kGroup);
  multicast(xen::extra::kMcastDel, kGroup);
  settings.multicast_control = true;
  receiver->port->configure(settings);
  EXPECT_EQ(cross(to(kGroup)), 1u) << "asked for twice, taken back once";
}

TEST_F(VifSettingsTest, SixtyFourAddressesAndThenErrors) {
  for (std::uint8_t i = 0; i < 65; ++i) multicast(xen::extra::kMcastAdd, {0x01, 0, 0x5e, 0, 1, i});
  EXPECT_EQ(receiver->queue().counters().tx_dropped, 1u);
  settings.multicast_control = true;
  receiver->port->configure(settings);
  EXPECT_EQ(cross(to({0x01, 0, 0x5e, 0, 1, 63})), 1u);
  EXPECT_EQ(cross(to({0x01, 0, 0x5e, 0, 1, 64})), 0u);
  multicast(xen::extra::kMcastDel, {0x01, 0, 0x5e, 0, 1, 0});
  multicast(xen::extra::kMcastAdd, {0x01, 0, 0x5e, 0, 1, 64});
  EXPECT_EQ(receiver->queue().counters().tx_dropped, 1u);
  EXPECT_EQ(cross(to({0x01, 0, 0x5e, 0, 1, 64})), 1u);
}

TEST_F(VifSettingsTest, HeadroomBeforeEachSlotAndToldInAnExtraInfo) {
  for (const std::uint16_t headroom : std::initializer_list<std::uint16_t>{1, 256, 2048}) {
    SCOPED_TRACE(headroom);
    settings.xdp_headroom = headroom;
    receiver->port->configure(settings);
    const std::size_t room = 4096u - headroom;
    for (const std::size_t size : {60ul, 1514ul, room - 1, room, room + 1, 9014ul, 18 * room}) {
      SCOPED_TRACE(size);
      const auto frame = plain_frame(std::min<std::size_t>(size, 65535), static_cast<std::uint8_t>(size));
      ASSERT_EQ(cross(frame), 1u);
      EXPECT_EQ(last().bytes, frame);
      EXPECT_EQ(last().xdp_headroom, headroom);
      EXPECT_EQ(last().slots, (frame.size() + room - 1) / room + 1);
    }
  }
  receiver->port->configure({});
  ASSERT_EQ(cross(plain_frame(60)), 1u);
  EXPECT_EQ(last().xdp_headroom, 0u);
  EXPECT_EQ(last().slots, 1u);
  EXPECT_EQ(receiver->queue().counters().rx_errors, 0u);
}

TEST_F(VifSettingsTest, HeadroomAndSegmentation) {
  settings.xdp_headroom = 256;
  receiver->port->configure(settings);
  const auto frame = l4_frame(false, true, 60'000, true);
  ASSERT_EQ(cross(frame, {.csum_blank = true, .gso_size = 1448, .gso_type = 1}), 1u);
  EXPECT_EQ(last().bytes, frame);
  EXPECT_EQ(last().gso_size, 1448u);
  EXPECT_EQ(last().slots, (frame.size() + 3839) / 3840 + 2);
  // More slots than a frontend takes for one frame: cut, or dropped when that cannot be.
  settings.xdp_headroom = 0x7fff;
  receiver->port->configure(settings);
  ASSERT_EQ(cross(frame, {.csum_blank = true, .gso_size = 1448, .gso_type = 1}), 42u);
  EXPECT_EQ(last().xdp_headroom, 2048u) << "no more than half of a page";
  EXPECT_EQ(cross(plain_frame(18 * 2048 + 1)), 0u);
  EXPECT_EQ(receiver->tx_dropped(Drop::kTooBig), 1u);
}

TEST_F(VifSettingsTest, FramesThatWaitGetTheHeadroomOfTheDayOrGo) {
  auto starved = rig.guest(3, VifRig::full_features(), 1, true, 0);
  for (const std::size_t size : {60ul, 60'000ul, 1514ul}) {
    post(*sender, plain_frame(size));
    rig.forward(*sender, *starved);
  }
  settings.xdp_headroom = 2048;
  starved->port->configure(settings);
  EXPECT_EQ(starved->tx_dropped(Drop::kTooBig), 1u) << "60 000 bytes would take 30 slots";
  starved->queue().post_rx(256);
  std::array<Packet*, kBatchMax> batch;
  starved->port->queues()[0]->receive(rig.pool, batch);
  ASSERT_EQ(starved->receive(), 2u);
  EXPECT_EQ(starved->collector.frames[0].bytes, plain_frame(60));
  EXPECT_EQ(starved->collector.frames[1].bytes, plain_frame(1514));
  EXPECT_EQ(starved->collector.frames[1].xdp_headroom, 2048u);
}

TEST_F(VifSettingsTest, WithoutScatterGatherAFrameAndItsHeadroomFitIntoOnePage) {
  VifSpec spec = VifRig::full_features();
  spec.sg = spec.gso_tcpv4 = spec.gso_tcpv6 = false;
  auto narrow = rig.guest(3, spec);
  settings.xdp_headroom = 256;
  narrow->port->configure(settings);
  post(*sender, plain_frame(3840));
  rig.forward(*sender, *narrow);
  post(*sender, plain_frame(3841));
  rig.forward(*sender, *narrow);
  EXPECT_EQ(narrow->receive(), 1u);
  EXPECT_EQ(narrow->tx_dropped(Drop::kTooBig), 1u);
}

}  // namespace
}  // namespace xvif::netback
