// Attach, detach, events, domain death, leaks.
#include "netback/vif_port.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "netback/tcp_frame.h"
#include "netback/vif_queue.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

class Activated final : public ActiveQueues {
 public:
  void activate(PortQueue& queue) override { queues.push_back(&queue); }
  std::vector<PortQueue*> queues;
};

bool readable(int fd, int timeout_ms = 0) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, timeout_ms) == 1;
}

class VifPortTest : public ::testing::Test {
 protected:
  void expect_refused(RigGuest& guest, VifSpec spec, const char* word) {
    std::vector<VifQueueHome> homes(spec.queues.size(), VifQueueHome{0, &rig.source});
    std::string error;
    EXPECT_EQ(VifPort::attach(spec, rig.thread_pointers, homes, error), nullptr);
    EXPECT_NE(error.find(word), std::string::npos) << error;
    EXPECT_EQ(rig.hypervisor.usage().grants_mapped, 0u);
    EXPECT_EQ(rig.hypervisor.usage().evtchns, guest.queues.size() * 2) << "only the guest's own ends";
  }
  VifSpec spec_of(RigGuest& guest) {
    VifSpec spec = VifRig::full_features();
    spec.domid = guest.domain->id();
    for (const auto& queue : guest.queues) {
      const auto& refs = queue->refs();
      spec.queues.push_back({refs.tx_ring, refs.rx_ring, refs.evtchn_tx, refs.evtchn_rx});
    }
    return spec;
  }
  VifRig rig;
};

TEST_F(VifPortTest, BadReferencesAreRefusedAndLeaveNothing) {
  auto guest = rig.boot(1, 2);
  VifSpec spec = spec_of(*guest);
  spec.queues[1].tx_ring = GrantRef{0};
  expect_refused(*guest, spec, "tx-ring-ref");
  spec = spec_of(*guest);
  spec.queues[1].rx_ring = GrantRef{0xffffffff};
  expect_refused(*guest, spec, "rx-ring-ref");
  spec = spec_of(*guest);
  spec.queues[1].evtchn_tx = EvtchnPort{0};
  expect_refused(*guest, spec, "event channel");
  spec = spec_of(*guest);
  spec.queues[1].evtchn_rx = spec.queues[0].evtchn_rx;  // of another queue
  expect_refused(*guest, spec, "event channel");
  spec = spec_of(*guest);
  spec.domid = DomId{77};
  expect_refused(*guest, spec, "tx-ring-ref");
  spec = spec_of(*guest);
  spec.queues.resize(9, spec.queues[0]);
  expect_refused(*guest, spec, "queues");
  spec.queues.clear();
  expect_refused(*guest, spec, "queues");
  guest->queue().rx_page().store(xen::ring_at::kReqProd, 300, std::memory_order_relaxed);
  expect_refused(*guest, spec_of(*guest), "more requests");
}

TEST_F(VifPortTest, ReattachesToALiveRing) {
  auto guest = rig.guest(1), to = rig.guest(2);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(guest->queue(), plain_frame(60)));
  guest->queue().push_tx();
  EXPECT_EQ(rig.forward(*guest, *to), 3u);
  guest->port->silence();
  guest->port->close();
  guest->port->close();  // may be called again
  guest->port.reset();
  ASSERT_TRUE(send(guest->queue(), plain_frame(61)));
  guest->queue().push_tx();
  ASSERT_TRUE(rig.attach(*guest)) << guest->error;
  EXPECT_EQ(rig.forward(*guest, *to), 1u) << "starts at rsp_prod";
  EXPECT_EQ(to->receive(), 4u);
}

/// Counts what guests are notified of.
class CountingChannels final : public xen::EventChannels {
 public:
  CountingChannels(std::unique_ptr<xen::EventChannels> inner, std::size_t& notified)
      : inner_(std::move(inner)), notified_(notified) {}
  int fd() const override { return inner_->fd(); }
  std::optional<EvtchnPort> bind_interdomain(DomId domid, EvtchnPort remote) override {
    return inner_->bind_interdomain(domid, remote);
  }
  void unbind(EvtchnPort port) override { inner_->unbind(port); }
  void notify(EvtchnPort port) override {
    ++notified_;
    inner_->notify(port);
  }
  std::size_t take(std::span<EvtchnPort> ports, bool& overflow) override { return inner_->take(ports, overflow); }
  void unmask(std::span<const EvtchnPort> ports) override { inner_->unmask(ports); }

 private:
  const std::unique_ptr<xen::EventChannels> inner_;
  std::size_t& notified_;
};

/// A backend that was killed between publishing and notifying left a guest that waits for a notification.
TEST_F(VifPortTest, NotifiesTheGuestOfARingThatItTakesOver) {
  for (const bool split : {true, false}) {
    SCOPED_TRACE(split);
    auto guest = rig.guest(split ? 1 : 2, VifRig::full_features(), 1, split), to = rig.guest(split ? 3 : 4);
    std::size_t notified = 0;
    EvtchnSource source(std::make_unique<CountingChannels>(rig.hypervisor.open_evtchns(), notified));
    const VifQueueHome home{0, &source};
    const auto attach = [&] {
      guest->port->silence();
      guest->port.reset();
      guest->port = VifPort::attach(spec_of(*guest), rig.thread_pointers, {&home, 1}, guest->error);
      ASSERT_NE(guest->port, nullptr) << guest->error;
    };
    attach();
    EXPECT_EQ(notified, 0u) << "a ring that nobody answered on";
    ASSERT_TRUE(send(guest->queue(), plain_frame(60)));
    guest->queue().push_tx();
    ASSERT_EQ(rig.forward(*guest, *to), 1u);
    ASSERT_TRUE(send(to->queue(), plain_frame(60)));
    to->queue().push_tx();
    ASSERT_EQ(rig.forward(*to, *guest), 1u);
    guest->port->silence();
    guest->port->close();
    notified = 0;
    attach();
    EXPECT_EQ(notified, split ? 2u : 1u);
    guest->port->silence();
    guest->port.reset();
  }
}

TEST_F(VifPortTest, EventsWakeAndMask) {
  for (const bool split : {true, false}) {
    SCOPED_TRACE(split);
    auto guest = rig.guest(split ? 1 : 2, VifRig::full_features(), 1, split);
    PortQueue& queue = *guest->port->queues()[0];
    Activated active;
    ASSERT_TRUE(readable(rig.source.fd())) << "binding notifies";
    rig.source.dispatch(active);
    ASSERT_EQ(active.queues.size(), split ? 2u : 1u);
    EXPECT_EQ(active.queues[0], &queue);
    EXPECT_FALSE(queue.arm());
    EXPECT_FALSE(readable(rig.source.fd()));
    ASSERT_TRUE(send(guest->queue(), plain_frame(60)));
    guest->queue().push_tx();
    EXPECT_TRUE(readable(rig.source.fd()));
    EXPECT_TRUE(queue.arm()) << "there is a frame";
    active.queues.clear();
    rig.source.dispatch(active);
    ASSERT_EQ(active.queues.size(), 1u);
    for (int i = 0; i < 1000; ++i) guest->queue().notify_tx();
    EXPECT_FALSE(readable(rig.source.fd())) << "masked until the work is done";
    std::array<Packet*, kBatchMax> batch;
    ASSERT_EQ(queue.receive(rig.pool, batch), 1u);
    batch[0]->release();
    queue.flush();
    EXPECT_FALSE(queue.arm());
    EXPECT_TRUE(readable(rig.source.fd())) << "what came meanwhile";
    rig.source.dispatch(active);
    queue.arm();
    guest->port.reset();
  }
}

TEST_F(VifPortTest, NotifiesTheGuestByItsEventIndex) {
  auto from = rig.guest(1), to = rig.guest(2);
  std::array<std::uint64_t, 8> cookies;
  while (rig.sink.take(cookies) > 0) {
  }
  from->queue().unmask();
  to->queue().unmask();
  EXPECT_FALSE(to->queue().arm());
  const auto cross = [&] {
    ASSERT_TRUE(send(from->queue(), plain_frame(60)));
    from->queue().push_tx();
    ASSERT_EQ(rig.forward(*from, *to), 1u);
  };
  cross();
  std::size_t count = rig.sink.take(cookies);
  EXPECT_GE(count, 1u);
  to->queue().unmask();
  from->queue().unmask();
  from->queue().reap_tx();
  cross();
  cross();
  EXPECT_EQ(rig.sink.take(cookies), 0u) << "nobody asked again";
}

TEST_F(VifPortTest, RxNotifyWakesTheBacklog) {
  auto from = rig.guest(1), to = rig.guest(2, VifRig::full_features(), 1, true, 0);
  Activated active;
  rig.source.dispatch(active);
  PortQueue& queue = *to->port->queues()[0];
  EXPECT_FALSE(queue.arm());
  ASSERT_TRUE(send(from->queue(), plain_frame(60)));
  from->queue().push_tx();
  rig.forward(*from, *to);
  active.queues.clear();
  rig.source.dispatch(active);  // the sender's own
  EXPECT_EQ(std::count(active.queues.begin(), active.queues.end(), &queue), 0);
  to->queue().post_rx(256);
  rig.source.dispatch(active);
  EXPECT_EQ(std::count(active.queues.begin(), active.queues.end(), &queue), 1);
  std::array<Packet*, kBatchMax> none;
  queue.receive(rig.pool, none);
  EXPECT_EQ(to->receive(), 1u);
}

TEST_F(VifPortTest, WithoutRxNotifyTheBacklogIsPolled) {
  VifSpec spec = VifRig::full_features();
  spec.rx_notify = false;
  auto from = rig.guest(1), to = rig.guest(2, spec, 1, true, 0);
  Activated active;
  rig.source.dispatch(active);
  for (RigGuest* guest : {from.get(), to.get()}) guest->port->queues()[0]->arm();
  PortQueue& queue = *to->port->queues()[0];
  ASSERT_TRUE(send(from->queue(), plain_frame(60)));
  from->queue().push_tx();
  rig.forward(*from, *to);
  rig.source.dispatch(active);
  from->port->queues()[0]->arm();
  EXPECT_FALSE(readable(rig.source.fd()));
  active.queues.clear();
  for (int i = 0; i < 3; ++i) {  // as long as the frame waits
    ASSERT_TRUE(readable(rig.source.fd(), 1000));
    rig.source.dispatch(active);
    ASSERT_EQ(active.queues.size(), static_cast<std::size_t>(i + 1) * 2) << "once for each channel";
    EXPECT_EQ(active.queues.back(), &queue);
    EXPECT_FALSE(queue.arm());
  }
}

TEST_F(VifPortTest, SilencedQueuesAreNotActivated) {
  auto guest = rig.guest(1);
  guest->port->silence();
  Activated active;
  rig.source.dispatch(active);
  guest->queue().notify_tx();
  rig.source.dispatch(active);
  EXPECT_TRUE(active.queues.empty());
}

TEST_F(VifPortTest, LeaksNothing) {
  for (int round = 0; round < 50; ++round) {
    auto from = rig.guest(1, VifRig::full_features(), 3), to = rig.guest(2, VifRig::full_features(), 1, false, 0);
    ASSERT_TRUE(send(from->queue(), plain_frame(30000)));
    from->queue().push_tx();
    rig.forward(*from, *to);
    if (round % 2 == 0) rig.hypervisor.destroy_domain(DomId{1});
    from->port.reset();
    to->port.reset();
    from->queues.clear();
    to->queues.clear();
    EXPECT_EQ(rig.hypervisor.usage().grants_granted, 0u);
    EXPECT_EQ(rig.hypervisor.usage().grants_mapped, 0u);
    EXPECT_EQ(rig.hypervisor.usage().evtchns, 0u);
    rig.hypervisor.destroy_domain(DomId{1});
    rig.hypervisor.destroy_domain(DomId{2});
  }
  EXPECT_EQ(rig.hypervisor.usage().domains, 0u);
  EXPECT_EQ(rig.pool.available(), 256u);
}

TEST_F(VifPortTest, DomainDiesMidTraffic) {
  auto from = rig.guest(1), to = rig.guest(2), other = rig.guest(3);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(send(from->queue(), plain_frame(20000)));
  from->queue().push_tx();
  std::array<Packet*, kBatchMax> batch;
  PortQueue& queue = *from->port->queues()[0];
  const std::size_t count = queue.receive(rig.pool, batch);
  ASSERT_EQ(count, 6u);
  rig.hypervisor.destroy_domain(DomId{1});
  to->port->transmit(0, std::span(batch).first(count));
  for (std::size_t i = 0; i < count; ++i) batch[i]->release();
  queue.flush();
  EXPECT_EQ(to->tx_dropped(Drop::kCopyFailed), 6u);
  // Its own ring pages are still mapped; towards it nothing can be copied.
  ASSERT_TRUE(send(other->queue(), plain_frame(60)));
  other->queue().push_tx();
  EXPECT_EQ(rig.forward(*other, *from), 1u);
  EXPECT_EQ(from->tx_dropped(Drop::kCopyFailed), 1u);
  ASSERT_TRUE(send(other->queue(), plain_frame(60)));
  other->queue().push_tx();
  EXPECT_EQ(rig.forward(*other, *to), 1u);
  EXPECT_EQ(to->receive(), 1u) << "others go on";
}

}  // namespace
}  // namespace xvif::netback
