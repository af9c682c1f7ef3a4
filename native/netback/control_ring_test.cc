// Requests 1 to 7, and the ring itself against a frontend that writes anything (hostile-frontend checklist 1, 24, 27).
#include "netback/control_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "netback/rss_vectors.h"
#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

namespace ctrl = xen::ctrl;
using netfront::ControlResult;

std::vector<std::uint8_t> words(const std::vector<std::uint32_t>& values) {
  std::vector<std::uint8_t> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class ControlRingTest : public ::testing::Test {
 protected:
  explicit ControlRingTest(unsigned queues = 4) : guest(rig.boot(1, queues)), peer(rig.guest(2)) {
    rig.with_control(*guest);
    EXPECT_TRUE(rig.attach(*guest)) << guest->error;
  }
  ControlResult ask(std::uint16_t type, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    return rig.ask(*guest, {type, {a, b, c}, {}, 0, false});
  }
  std::uint32_t status(std::uint16_t type, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    const ControlResult result = ask(type, a, b, c);
    EXPECT_TRUE(result.answered) << type;
    return result.status;
  }
  std::uint32_t set_key(std::span<const std::uint8_t> key, std::uint32_t size) {
    std::vector<std::uint8_t> page(key.begin(), key.end());
    return rig.ask(*guest, {ctrl::kSetHashKey, {0, size, 0}, std::move(page), 0, true}).status;
  }
  std::uint32_t set_mapping(const std::vector<std::uint32_t>& entries, std::uint32_t count, std::uint32_t offset) {
    return rig.ask(*guest, {ctrl::kSetHashMapping, {0, count, offset}, words(entries), 0, true}).status;
  }
  void hash_everything() {
    ASSERT_EQ(status(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz), ctrl::kSuccess);
    ASSERT_EQ(status(ctrl::kSetHashFlags, ctrl::hash_type::kAll), ctrl::kSuccess);
    ASSERT_EQ(set_key(kRssKey, 40), ctrl::kSuccess);
  }
  /// Sends a frame from the peer; the queue of the guest that got it, and the frame.
  std::pair<std::size_t, Collector::Frame> deliver(const std::vector<std::uint8_t>& frame,
                                                   const netfront::TxMeta& meta = {}) {
    EXPECT_TRUE(send(peer->queue(), frame, meta));
    peer->queue().push_tx();
    EXPECT_EQ(rig.forward(*peer, *guest), 1u);
    peer->queue().reap_tx();
    for (std::size_t i = 0; i < guest->queues.size(); ++i) {
      if (guest->queues[i]->receive(guest->collector, 256) == 0) continue;
      const Collector::Frame got = guest->collector.frames.back();
      guest->collector.frames.clear();
      return {i, got};
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }
  void expect_serves() {
    EXPECT_TRUE(guest->port->link_up()) << guest->port->fault_text();
    EXPECT_EQ(deliver(l4_frame(false, true, 10, false)).second.bytes, l4_frame(false, true, 10, false));
  }

  VifRig rig;
  std::unique_ptr<RigGuest> guest, peer;
};

TEST_F(ControlRingTest, AlgorithmComesFirst) {
  EXPECT_EQ(status(ctrl::kGetHashFlags), ctrl::kNotSupported);
  EXPECT_EQ(status(ctrl::kSetHashFlags, 1), ctrl::kInvalidParameter);
  for (const std::uint32_t algorithm : {2u, 0x10001u, ~0u}) {
    EXPECT_EQ(status(ctrl::kSetHashAlgorithm, algorithm), ctrl::kInvalidParameter);
  }
  EXPECT_EQ(status(ctrl::kGetHashFlags), ctrl::kNotSupported);
  EXPECT_EQ(status(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz), ctrl::kSuccess);
  const ControlResult flags = ask(ctrl::kGetHashFlags);
  EXPECT_EQ(flags.status, ctrl::kSuccess);
  EXPECT_EQ(flags.data, 15u);
  for (const std::uint32_t types : {16u, 0x8000000fu, ~0u}) {
    EXPECT_EQ(status(ctrl::kSetHashFlags, types), ctrl::kInvalidParameter);
  }
  EXPECT_EQ(status(ctrl::kSetHashFlags, 15), ctrl::kSuccess);
  EXPECT_EQ(status(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmNone), ctrl::kSuccess);
  EXPECT_EQ(status(ctrl::kGetHashFlags), ctrl::kNotSupported);
}

TEST_F(ControlRingTest, HashExtraOnlyOnceItIsTurnedOn) {
  const auto frame = l4_frame(false, true, 100, false);
  EXPECT_FALSE(deliver(frame).second.hashed);
  ASSERT_EQ(status(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz), ctrl::kSuccess);
  EXPECT_FALSE(deliver(frame).second.hashed) << "no type yet";
  hash_everything();
  const Collector::Frame hashed = deliver(frame).second;
  EXPECT_EQ(hashed.bytes, frame);
  EXPECT_TRUE(hashed.hashed);
  EXPECT_EQ(hashed.slots, 2u);
  EXPECT_EQ(hashed.hash_type, ctrl::hash_type::kIpv4Tcp);
  const std::vector<std::uint8_t> input{10, 0, 0, 1, 10, 0, 0, 2, 1000 >> 8, 1000 & 255, 0, 80};
  EXPECT_EQ(hashed.hash, Toeplitz(kRssKey).hash(input));
  EXPECT_FALSE(deliver(plain_frame(60)).second.hashed);
  ASSERT_EQ(status(ctrl::kSetHashFlags, 0), ctrl::kSuccess);
  EXPECT_FALSE(deliver(frame).second.hashed);
  EXPECT_FALSE(deliver(frame).second.csum_blank);
}

TEST_F(ControlRingTest, HashExtraBesideSegmentationAndManySlots) {
  hash_everything();
  const auto large = l4_frame(false, true, 30000, true);
  const Collector::Frame got = deliver(large, {.csum_blank = true, .gso_size = 1400, .gso_type = 1}).second;
  EXPECT_EQ(got.bytes, large);
  EXPECT_EQ(got.gso_size, 1400);
  EXPECT_TRUE(got.hashed);
  EXPECT_EQ(got.slots, (large.size() + 4095) / 4096 + 1 + 2) << "the header's piece, pages, two extra infos";
  const Collector::Frame udp = deliver(l4_frame(true, false, 5000, false)).second;
  EXPECT_EQ(udp.hash_type, ctrl::hash_type::kIpv6);
  EXPECT_EQ(udp.slots, 4u);
}

TEST_F(ControlRingTest, KeyBounds) {
  hash_everything();
  for (const std::uint32_t size : {41u, 4096u, 0x10000u, 0x10028u, 0x80000000u, ~0u}) {
    EXPECT_EQ(set_key(kRssKey, size), ctrl::kBufferOverflow) << size;
  }
  EXPECT_EQ(status(ctrl::kSetHashKey, 0, 40), ctrl::kInvalidParameter) << "no such grant";
  EXPECT_EQ(status(ctrl::kSetHashKey, 0xffffffff, 1), ctrl::kInvalidParameter);
  const auto frame = l4_frame(false, true, 100, false);
  const std::uint32_t before = deliver(frame).second.hash;
  EXPECT_NE(before, 0u) << "what was refused changed nothing";
  EXPECT_EQ(set_key(kRssKey, 5), ctrl::kSuccess);
  EXPECT_NE(deliver(frame).second.hash, before) << "the rest of the key is zero";
  EXPECT_EQ(status(ctrl::kSetHashKey, 0xffffffff, 0), ctrl::kSuccess) << "no key: its reference is not looked at";
  EXPECT_EQ(deliver(frame).second.hash, 0u);
}

TEST_F(ControlRingTest, MappingBounds) {
  EXPECT_EQ(ask(ctrl::kGetHashMappingSize).data, 128u);
  for (const std::uint32_t size : {129u, 0x10000u, 0x10001u, ~0u}) {
    EXPECT_EQ(status(ctrl::kSetHashMappingSize, size), ctrl::kInvalidParameter) << size;
  }
  EXPECT_EQ(set_mapping({0}, 1, 0), ctrl::kInvalidParameter) << "no table yet";
  EXPECT_EQ(status(ctrl::kSetHashMappingSize, 128), ctrl::kSuccess);
  const std::vector<std::uint32_t> zeroes(128, 0);
  for (const auto& [count, offset] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 128},
                                                                                          {129, 0},
                                                                                          {128, 1},
                                                                                          {1, 0x10000},
                                                                                          {1, ~0u},
                                                                                          {2, ~0u},
                                                                                          {~0u, 1},
                                                                                          {~0u, 2},
                                                                                          {0x10000, 0},
                                                                                          {0x10001, 0},
                                                                                          {0x80000000, 0x80000000},
                                                                                          {0x40000001, 0},
                                                                                          {0, 129},
                                                                                          {0, ~0u}}) {
    EXPECT_EQ(set_mapping(zeroes, count, offset), ctrl::kInvalidParameter) << count << " at " << offset;
  }
  EXPECT_EQ(set_mapping(zeroes, 128, 0), ctrl::kSuccess);
  EXPECT_EQ(set_mapping(zeroes, 0, 128), ctrl::kSuccess);
  EXPECT_EQ(set_mapping({3}, 1, 127), ctrl::kSuccess);
  for (const std::uint32_t queue : {4u, 0x100u, 0x10000u, 0x80000000u, ~0u}) {
    EXPECT_EQ(set_mapping({0, queue}, 2, 0), ctrl::kInvalidParameter) << queue;
  }
  EXPECT_EQ(status(ctrl::kSetHashMapping, 0xfffffff0, 1, 0), ctrl::kInvalidParameter) << "no such grant";
  expect_serves();
}

TEST_F(ControlRingTest, FramesGoWhereTheMappingSays) {
  hash_everything();
  ASSERT_EQ(status(ctrl::kSetHashMappingSize, 2), ctrl::kSuccess);
  ASSERT_EQ(set_mapping({3, 1}, 2, 0), ctrl::kSuccess);
  std::set<std::size_t> used;
  for (std::uint16_t port = 1; port <= 64; ++port) {
    const auto frame = l4_frame(false, true, 10, false, port);
    const auto [queue, got] = deliver(frame);
    EXPECT_EQ(queue, got.hash % 2 == 0 ? 3u : 1u);
    EXPECT_EQ(deliver(frame).first, queue);
    used.insert(queue);
  }
  EXPECT_EQ(used.size(), 2u);
  EXPECT_EQ(deliver(plain_frame(60)).first, 3u) << "without a hash as with hash 0";
  ASSERT_EQ(set_mapping({2}, 1, 0), ctrl::kSuccess);
  EXPECT_EQ(deliver(plain_frame(60)).first, 2u);
  ASSERT_EQ(status(ctrl::kSetHashMappingSize, 0), ctrl::kSuccess);
  const auto [queue, got] = deliver(l4_frame(false, true, 10, false, 7));
  EXPECT_EQ(queue, got.hash % 4);
}

TEST_F(ControlRingTest, EveryOtherTypeIsNotSupported) {
  for (std::uint32_t type = 0; type <= 0xffff; ++type) {
    if (type >= ctrl::kGetHashFlags && type <= ctrl::kDelGrefMapping) continue;
    ASSERT_EQ(status(static_cast<std::uint16_t>(type), ~0u, ~0u, ~0u), ctrl::kNotSupported) << type;
  }
  expect_serves();
}

TEST_F(ControlRingTest, AFullRingInOneKickIsAnsweredInBoundedTurns) {
  int answered = 0;
  for (std::uint32_t i = 0; i < xen::kCtrlRingSlots; ++i) {
    ASSERT_TRUE(guest->control->request({ctrl::kGetHashMappingSize, {}, {}, 0, false},
                                        [&](const ControlResult& result) { answered += result.data == 128; }));
  }
  EXPECT_FALSE(guest->control->request({ctrl::kGetHashMappingSize, {}, {}, 0, false}, [](const ControlResult&) {}));
  guest->turn_control(rig.pool);
  guest->control->poll();
  EXPECT_EQ(answered, 32);
  EXPECT_TRUE(guest->port->queues().back()->arm()) << "there is more";
  for (int turn = 0; turn < 3; ++turn) guest->turn_control(rig.pool);
  guest->control->poll();
  EXPECT_EQ(answered, 128);
  EXPECT_FALSE(guest->port->queues().back()->arm());
}

TEST_F(ControlRingTest, ImpossibleIndicesTakeTheLinkDown) {
  for (const std::uint32_t jump : {129u, 257u, 0x80000000u, ~0u}) {
    auto hostile = rig.boot(static_cast<std::uint16_t>(10 + jump % 7));
    rig.with_control(*hostile);
    ASSERT_TRUE(rig.attach(*hostile)) << hostile->error;
    hostile->control->page().store(xen::ring_at::kReqProd, jump, std::memory_order_release);
    hostile->turn_control(rig.pool);
    EXPECT_FALSE(hostile->port->link_up()) << jump;
    EXPECT_FALSE(hostile->port->queues().back()->arm());
    hostile->port.reset();
    rig.hypervisor.destroy_domain(hostile->domain->id());
  }
  expect_serves();
}

TEST_F(ControlRingTest, ScribbledIndicesAreIgnoredAndTheRestOfASlotStays) {
  std::memset(static_cast<std::uint8_t*>(guest->control->page().page()) + xen::ring_at::kSlots, 0xee, 128 * 16);
  for (const std::size_t at : {xen::ring_at::kReqEvent, xen::ring_at::kRspProd, xen::ring_at::kRspEvent}) {
    guest->control->page().store(at, 0xdeadbeef, std::memory_order_relaxed);
  }
  ASSERT_TRUE(guest->control->request({ctrl::kGetHashMappingSize, {1, 2, 3}, {}, 0, false}, [](const auto&) {}));
  guest->turn_control(rig.pool);
  EXPECT_EQ(guest->control->page().load(xen::ring_at::kRspProd, std::memory_order_acquire), 1u);
  const auto slot = guest->control->page().read<xen::kCtrlSlotBytes, xen::CtrlRequest>(0);
  EXPECT_EQ(slot.data[0], 0u);
  EXPECT_EQ(slot.data[1], 128u);
  EXPECT_EQ(slot.data[2], 3u) << "the last four bytes of the slot stay the guest's";
  EXPECT_TRUE(guest->port->link_up());
}

TEST_F(ControlRingTest, BadReferencesAreRefusedAndLeaveNothing) {
  const auto before = rig.hypervisor.usage();
  auto other = rig.boot(9);
  rig.with_control(*other);
  VifSpec spec = VifRig::full_features();
  spec.domid = DomId{9};
  const auto& refs = other->queue().refs();
  spec.queues = {{refs.tx_ring, refs.rx_ring, refs.evtchn_tx, refs.evtchn_rx}};
  const std::array<VifQueueHome, 1> homes{{{0, &rig.source}}};
  std::string error;
  spec.control = VifControlSpec{GrantRef{3}, other->control->refs().evtchn};
  EXPECT_EQ(VifPort::attach(spec, rig.thread_pointers, homes, error), nullptr);
  EXPECT_EQ(error, "vif 9/0 control ring: cannot map ctrl-ring-ref 3");
  spec.control = VifControlSpec{other->control->refs().ring, EvtchnPort{500}};
  EXPECT_EQ(VifPort::attach(spec, rig.thread_pointers, homes, error), nullptr);
  EXPECT_EQ(error, "vif 9/0 control ring: cannot bind event channel 500");
  other->control->page().store(xen::ring_at::kReqProd, 129, std::memory_order_relaxed);
  spec.control = VifControlSpec{other->control->refs().ring, other->control->refs().evtchn};
  EXPECT_EQ(VifPort::attach(spec, rig.thread_pointers, homes, error), nullptr);
  EXPECT_EQ(error, "vif 9/0 control ring: the ring holds more requests than it has slots");
  EXPECT_EQ(rig.hypervisor.usage().grants_mapped, before.grants_mapped);
}

TEST_F(ControlRingTest, ItsChannelWakesItAndIsUnmaskedLate) {
  class Woken final : public ActiveQueues {
   public:
    void activate(PortQueue& queue) override { queues.insert(&queue); }
    std::set<PortQueue*> queues;
  } woken;
  PortQueue& ring = *guest->port->queues().back();
  rig.source.dispatch(woken);  // binding fires once
  EXPECT_TRUE(woken.queues.contains(&ring));
  for (PortQueue* queue : guest->port->queues()) EXPECT_FALSE(queue->arm());
  woken.queues.clear();
  guest->control->notify();
  rig.source.dispatch(woken);
  EXPECT_EQ(woken.queues, std::set<PortQueue*>{&ring});
  woken.queues.clear();
  guest->control->notify();
  rig.source.dispatch(woken);
  EXPECT_TRUE(woken.queues.empty()) << "masked until armed";
  EXPECT_FALSE(ring.arm());
  rig.source.dispatch(woken);
  EXPECT_TRUE(woken.queues.contains(&ring));
}

}  // namespace
}  // namespace xvif::netback
