// Items of the checklist of hostile frontends (docs/security.md) that are races in memory, or need what a guest of
// the emulated hypervisor cannot bring about.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

std::size_t descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// Rounds of a test that is to run long under sanitizers now and then.
unsigned long rounds(const char* variable, unsigned long otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

/// §4.2 item 5: ten million double fetches with XVIF_DOUBLE_FETCHES=10000000.
TEST(SecurityItem05, SlotsChangeBetweenTwoLooks) {
  VifRig rig;
  auto hostile = rig.boot(1);
  auto peer = rig.guest(2);
  ASSERT_TRUE(rig.attach(*hostile));
  std::atomic<bool> stop{false};
  auto& queue = hostile->queue();
  std::thread flipper([&] {
    const std::uint32_t good = raw(queue.tx_buffer_ref(0));
    const std::uint32_t refs[] = {good, 0xffffffff, good, raw(queue.refs().tx_ring), good, 0x01000102};
    const std::uint32_t flags[] = {0, 0xfff, 4u << 16, 0, 8u << 16, 1u << 16, 0, 0xffffffff};
    const std::uint32_t sizes[] = {60u << 16, 0xffffu << 16, 13u << 16, 1500u << 16, 0, 4096u << 16, 100u << 16};
    for (std::uint32_t i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      const std::size_t slot = xen::ring_at::kSlots + i * 5 % xen::kRingSlots * xen::kTxSlotBytes;
      queue.tx_page().store(slot, refs[i % std::size(refs)], std::memory_order_relaxed);
      queue.tx_page().store(slot + 4, flags[i % std::size(flags)], std::memory_order_relaxed);
      queue.tx_page().store(slot + 8, sizes[i % std::size(sizes)], std::memory_order_relaxed);
    }
  });
  const unsigned long wanted = rounds("XVIF_DOUBLE_FETCHES", 20'000);
  std::uint32_t prod = 0;
  unsigned long taken = 0, reattached = 0;
  while (taken < wanted) {
    const auto answered = queue.tx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire);
    prod = answered + xen::kRingSlots;
    queue.tx_page().store(xen::ring_at::kReqProd, prod, std::memory_order_release);
    rig.forward(*hostile, *peer);
    peer->receive();
    peer->collector.frames.clear();
    taken += kBatchMax;
    if (hostile->port->link_up()) continue;
    hostile->port.reset();
    const auto start = queue.tx_page().load(xen::ring_at::kRspProd, std::memory_order_acquire);
    queue.tx_page().store(xen::ring_at::kReqProd, start, std::memory_order_release);
    ASSERT_TRUE(rig.attach(*hostile)) << hostile->error;
    ++reattached;
  }
  stop = true;
  flipper.join();
  EXPECT_GT(reattached, 0u) << "some of it was forbidden";
  EXPECT_TRUE(peer->port->link_up());
  hostile->port.reset();
  EXPECT_EQ(rig.pool.available(), 256u);
}

/// §4.2 item 22.
TEST(SecurityItem22, HundredThousandConnects) {
  VifRig rig;
  auto guest = rig.boot(1, 2);
  ASSERT_TRUE(rig.attach(*guest));
  guest->port.reset();
  const auto before = rig.hypervisor.usage();
  const std::size_t fds = descriptors();
  const unsigned long wanted = rounds("XVIF_CONNECTS", 100'000);
  for (unsigned long i = 0; i < wanted; ++i) {
    ASSERT_TRUE(rig.attach(*guest)) << guest->error;
    guest->port.reset();
  }
  const auto after = rig.hypervisor.usage();
  EXPECT_EQ(after.grants_mapped, before.grants_mapped);
  EXPECT_EQ(after.evtchns, before.evtchns);
  EXPECT_EQ(descriptors(), fds);
}

/// Channels whose queue of events overflows when it is told to, as /dev/xen/evtchn's does (EFBIG).
class OverflowingChannels final : public xen::EventChannels {
 public:
  OverflowingChannels(std::unique_ptr<xen::EventChannels> inner, bool& overflow)
      : inner_(std::move(inner)), overflow_(overflow) {}
  int fd() const override { return inner_->fd(); }
  std::optional<EvtchnPort> bind_interdomain(DomId domid, EvtchnPort remote) override {
    return inner_->bind_interdomain(domid, remote);
  }
  void unbind(EvtchnPort port) override { inner_->unbind(port); }
  void notify(EvtchnPort port) override { inner_->notify(port); }
  std::size_t take(std::span<EvtchnPort> ports, bool& overflow) override {
    const std::size_t count = inner_->take(ports, overflow);
    if (!overflow_) return count;
    overflow_ = false;
    overflow = true;
    return 0;  // what was pending is lost
  }
  void unmask(std::span<const EvtchnPort> ports) override { inner_->unmask(ports); }

 private:
  const std::unique_ptr<xen::EventChannels> inner_;
  bool& overflow_;
};

class Activated final : public ActiveQueues {
 public:
  void activate(PortQueue& queue) override { queues.push_back(&queue); }
  std::vector<PortQueue*> queues;
};

/// §4.2 item 17: events were lost, so every queue is looked at, and its channels fire again afterwards.
TEST(SecurityItem17, LostEventsWakeEveryQueue) {
  VifRig rig;
  bool overflow = false;
  EvtchnSource source(std::make_unique<OverflowingChannels>(rig.hypervisor.open_evtchns(), overflow));
  auto guest = rig.boot(1);
  VifSpec spec = VifRig::full_features();
  spec.domid = guest->domain->id();
  const auto& refs = guest->queue().refs();
  spec.queues.push_back({refs.tx_ring, refs.rx_ring, refs.evtchn_tx, refs.evtchn_rx});
  const VifQueueHome home{0, &source};
  auto port = VifPort::attach(spec, rig.thread_pointers, {&home, 1}, guest->error);
  ASSERT_NE(port, nullptr) << guest->error;
  PortQueue* queue = port->queues()[0];
  const auto drain = [&] {
    Activated active;
    source.dispatch(active);
    return active.queues;
  };
  drain();
  EXPECT_FALSE(queue->arm());
  EXPECT_TRUE(drain().empty());

  overflow = true;
  guest->queue().notify_tx();
  const auto woken = drain();
  EXPECT_NE(std::find(woken.begin(), woken.end(), queue), woken.end());
  EXPECT_FALSE(queue->arm());
  guest->queue().notify_tx();
  EXPECT_FALSE(drain().empty()) << "the channels are unmasked again";
}

/// §4.2 item 16: a channel fires once until its work is done, however often the guest notifies.
TEST(SecurityItem16, OneEventUntilTheWorkIsDone) {
  VifRig rig;
  auto guest = rig.guest(1);
  PortQueue* queue = guest->port->queues()[0];
  const auto events = [&] {
    Activated active;
    rig.source.dispatch(active);
    return active.queues.size();
  };
  events();
  EXPECT_FALSE(queue->arm());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100'000; ++i) guest->queue().notify_tx();
    EXPECT_EQ(events(), 1u);
    for (int i = 0; i < 100'000; ++i) guest->queue().notify_tx();
    EXPECT_EQ(events(), 0u) << "masked until arm()";
    EXPECT_FALSE(queue->arm());
  }
}

}  // namespace
}  // namespace xvif::netback
