// Staging grants: control requests 8 to 10, and rings whose slots name staged pages (hostile-frontend checklist 26).
#include "netback/staging.h"

#include <gtest/gtest.h>

#include <cstring>

#include "netback/tcp_frame.h"
#include "netback/vif_rig.h"

namespace xvif::netback {
namespace {

namespace ctrl = xen::ctrl;
using netfront::ControlResult;

class StagingTest : public ::testing::Test {
 protected:
  explicit StagingTest(unsigned queues = 1) : guest(rig.boot(1, queues)), peer(rig.guest(2)) {
    rig.with_control(*guest);
    EXPECT_TRUE(rig.attach(*guest)) << guest->error;
    idle = mapped();
  }
  std::size_t mapped() const { return rig.hypervisor.usage().grants_mapped; }
  static netfront::ControlRequest list_request(std::uint16_t type, const std::vector<xen::CtrlGref>& list,
                                               std::uint32_t queue = 0) {
    netfront::ControlRequest request{type, {queue, 0, static_cast<std::uint32_t>(list.size())}, {}, 1, false};
    const auto bytes = std::as_bytes(std::span(list));
    request.page.resize(std::min(bytes.size(), xen::kPageBytes));
    std::transform(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(request.page.size()),
                   request.page.begin(), [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return request;
  }
  ControlResult ask(std::uint16_t type, const std::vector<xen::CtrlGref>& list, std::uint32_t queue = 0) {
    return rig.ask(*guest, list_request(type, list, queue));
  }
  std::uint32_t add(const std::vector<xen::CtrlGref>& list, std::uint32_t queue = 0) {
    return ask(ctrl::kAddGrefMapping, list, queue).status;
  }
  /// Entries as DEL left them.
  std::vector<xen::CtrlGref> removed(const std::vector<xen::CtrlGref>& list, std::uint32_t count,
                                     std::uint32_t queue = 0) {
    const ControlResult result = ask(ctrl::kDelGrefMapping, list, queue);
    EXPECT_EQ(result.status, ctrl::kSuccess);
    EXPECT_EQ(result.data, count);
    std::vector<xen::CtrlGref> entries(list.size());
    std::memcpy(entries.data(), result.page.data(), result.page.size());
    return entries;
  }
  void exchange_frames() {
    for (const std::size_t size : {60u, 300u, 4096u, 9000u, 60000u}) {
      const auto frame = plain_frame(size, static_cast<std::uint8_t>(size));
      ASSERT_TRUE(send(guest->queue(), frame));
      guest->queue().push_tx();
      ASSERT_EQ(rig.forward(*guest, *peer), 1u) << size;
      ASSERT_EQ(peer->receive(), 1u) << size;
      EXPECT_EQ(peer->collector.frames[0].bytes, frame);
      ASSERT_TRUE(send(peer->queue(), frame));
      peer->queue().push_tx();
      ASSERT_EQ(rig.forward(*peer, *guest), 1u) << size;
      ASSERT_EQ(guest->receive(), 1u) << size;
      EXPECT_EQ(guest->collector.frames[0].bytes, frame);
      for (RigGuest* one : {guest.get(), peer.get()}) {
        one->queue().reap_tx();
        EXPECT_EQ(one->queue().counters().tx_dropped, 0u);
        one->collector.frames.clear();
      }
    }
  }

  VifRig rig;
  std::unique_ptr<RigGuest> guest, peer;
  std::size_t idle = 0;
};

class StagingTwoQueuesTest : public StagingTest {
 protected:
  StagingTwoQueuesTest() : StagingTest(2) {}
};

TEST_F(StagingTwoQueuesTest, SizeOfEachQueue) {
  for (const std::uint32_t queue : {0u, 1u}) {
    const ControlResult size = rig.ask(*guest, {ctrl::kGetGrefMappingSize, {queue, 0, 0}, {}, 0, false});
    EXPECT_EQ(size.status, ctrl::kSuccess);
    EXPECT_EQ(size.data, kStagedPagesMax);
  }
  for (const std::uint32_t queue : {2u, 0x10000u, ~0u}) {
    EXPECT_EQ(rig.ask(*guest, {ctrl::kGetGrefMappingSize, {queue, 0, 0}, {}, 0, false}).status,
              ctrl::kInvalidParameter);
    EXPECT_EQ(add(guest->queue().staging_list(), queue), ctrl::kInvalidParameter);
    EXPECT_EQ(ask(ctrl::kDelGrefMapping, guest->queue().staging_list(), queue).status, ctrl::kInvalidParameter);
  }
}

TEST_F(StagingTest, FramesPassWithAllBuffersStaged) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  EXPECT_EQ(mapped(), idle + 512);
  exchange_frames();
  rig.with_control(*peer);  // and both sides
  peer->port.reset();
  ASSERT_TRUE(rig.attach(*peer)) << peer->error;
  ASSERT_EQ(rig.ask(*peer, list_request(ctrl::kAddGrefMapping, peer->queue().staging_list())).status, ctrl::kSuccess);
  exchange_frames();
  removed(guest->queue().staging_list(), 512);
  exchange_frames();
  EXPECT_EQ(rig.ask(*peer, list_request(ctrl::kDelGrefMapping, peer->queue().staging_list())).data, 512u);
  EXPECT_EQ(mapped(), idle + 1) << "the peer's control ring";
}

/// Pages that are staged are reached though their grants would no longer allow a copy.
TEST_F(StagingTest, NoGrantCopyForStagedPages) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  rig.hypervisor.destroy_domain(DomId{1});  // every copy fails now; the mappings stay
  const auto frame = plain_frame(200);
  ASSERT_TRUE(send(guest->queue(), frame));
  xen::RingPage& ring = guest->queue().tx_page();
  guest->queue().push_tx();
  EXPECT_EQ(ring.load(xen::ring_at::kReqProd, std::memory_order_relaxed), 1u);
  EXPECT_EQ(rig.forward(*guest, *peer), 1u);
  EXPECT_EQ(peer->receive(), 1u);
  EXPECT_EQ(peer->collector.frames[0].bytes, frame);
  ASSERT_TRUE(send(peer->queue(), frame));
  peer->queue().push_tx();
  EXPECT_EQ(rig.forward(*peer, *guest), 1u);
  EXPECT_EQ(guest->receive(), 1u);
  EXPECT_EQ(guest->collector.frames.at(0).bytes, frame);
}

TEST_F(StagingTest, AllOrNothing) {
  std::vector<xen::CtrlGref> list = guest->queue().staging_list();
  list.push_back(list[0]);
  EXPECT_EQ(add(list), ctrl::kInvalidParameter) << "513 entries";
  EXPECT_EQ(mapped(), idle);
  const auto refused = [&](std::vector<xen::CtrlGref> entries, const char* why) {
    EXPECT_EQ(add(entries), ctrl::kInvalidParameter) << why;
    EXPECT_EQ(mapped(), idle) << why;
  };
  list = guest->queue().staging_list();
  list.resize(100);
  list[99] = list[3];
  refused(list, "twice in the list");
  list[99] = {0, 0, 0};
  refused(list, "reference 0");
  list[99] = {0x7fffffff, 0, 0};
  refused(list, "no such grant");
  list[99] = {list[3].ref + 40, 2, 0};
  refused(list, "unknown flag");
  list[0].flags = 0;
  list.resize(99);
  refused(list, "a grant that is for reading only");
  refused({}, "nothing");
  for (const std::uint32_t count : {513u, 0x10000u, 0x20000001u, ~0u}) {
    netfront::ControlRequest request = list_request(ctrl::kAddGrefMapping, guest->queue().staging_list());
    request.data[2] = count;
    EXPECT_EQ(rig.ask(*guest, request).status, ctrl::kInvalidParameter) << count;
    request.type = ctrl::kDelGrefMapping;
    EXPECT_EQ(rig.ask(*guest, request).status, ctrl::kInvalidParameter) << count;
  }
  for (const std::uint16_t type : {ctrl::kAddGrefMapping, ctrl::kDelGrefMapping}) {
    EXPECT_EQ(rig.ask(*guest, {type, {0, 0xfffffff0, 4}, {}, 0, false}).status, ctrl::kInvalidParameter) << "bad list";
  }
  EXPECT_EQ(mapped(), idle);
  exchange_frames();
}

TEST_F(StagingTwoQueuesTest, TheTableIsBounded) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  EXPECT_EQ(add({guest->queues[1]->staging_list()[0]}), ctrl::kInvalidParameter) << "full";
  EXPECT_EQ(add({guest->queue().staging_list()[0]}), ctrl::kInvalidParameter) << "there already";
  EXPECT_EQ(add(guest->queues[1]->staging_list(), 1), ctrl::kSuccess) << "another queue has its own";
  EXPECT_EQ(mapped(), idle + 1024);
  guest->port.reset();
  EXPECT_EQ(mapped(), 2u) << "closing unmaps everything";
}

TEST_F(StagingTwoQueuesTest, RemovesEntryByEntry) {
  std::vector<xen::CtrlGref> list = guest->queue().staging_list();
  ASSERT_EQ(add(list), ctrl::kSuccess);
  list.resize(6);
  list[1] = {0x12345678, 0, 0};                   // never added
  list[2] = guest->queues[1]->staging_list()[7];  // not of this queue
  list[4] = list[0];                              // twice
  const std::vector<xen::CtrlGref> entries = removed(list, 3);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].ref, list[i].ref);
    EXPECT_EQ(entries[i].flags, list[i].flags);
    EXPECT_EQ(entries[i].status, i == 0 || i == 3 || i == 5 ? ctrl::kSuccess : ctrl::kInvalidParameter) << i;
  }
  EXPECT_EQ(mapped(), idle + 509);
  exchange_frames();
  EXPECT_EQ(ask(ctrl::kDelGrefMapping, list).data, 0u);
  netfront::ControlRequest readonly = list_request(ctrl::kDelGrefMapping, guest->queue().staging_list());
  readonly.page_readonly = true;
  EXPECT_EQ(rig.ask(*guest, readonly).status, ctrl::kInvalidParameter) << "the outcome cannot be told";
  EXPECT_EQ(mapped(), idle + 509) << "so nothing was done";
}

TEST_F(StagingTest, ARemovedPageCanBeRevokedAndIsNotUsedAgain) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  const GrantRef first = guest->queue().tx_buffer_ref(0);
  EXPECT_FALSE(guest->domain->end_access(first)) << "mapped";
  removed({{raw(first), 1, 0}}, 1);
  EXPECT_TRUE(guest->domain->end_access(first));
  ASSERT_TRUE(send(guest->queue(), plain_frame(60)));  // its first buffer is number 0
  guest->queue().push_tx();
  EXPECT_EQ(rig.forward(*guest, *peer), 0u);
  guest->queue().reap_tx();
  EXPECT_EQ(guest->queue().counters().tx_dropped, 1u);
  EXPECT_EQ(guest->rx_dropped(Drop::kCopyFailed), 1u);
  EXPECT_TRUE(guest->port->link_up());
}

TEST_F(StagingTest, RemovalWaitsForFramesUnderWay) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  const auto frame = plain_frame(9000);
  ASSERT_TRUE(send(guest->queue(), frame));
  guest->queue().push_tx();
  std::array<Packet*, kBatchMax> batch;
  ASSERT_EQ(guest->port->queues()[0]->receive(rig.pool, batch), 1u);
  EXPECT_FALSE(rig.ask(*guest, list_request(ctrl::kDelGrefMapping, guest->queue().staging_list())).answered);
  EXPECT_TRUE(guest->port->queues().back()->arm()) << "it goes on without an event";
  EXPECT_GT(mapped(), idle);
  peer->port->transmit(0, std::span(batch).first(1));
  ASSERT_EQ(peer->receive(), 1u);
  EXPECT_EQ(peer->collector.frames[0].bytes, frame);
  batch[0]->release();
  for (int turn = 0; turn < 20; ++turn) guest->turn_control(rig.pool);
  EXPECT_EQ(guest->control->poll(), 1u);
  EXPECT_EQ(mapped(), idle);
}

TEST_F(StagingTest, MappingIsSpreadOverTurns) {
  const auto answered = std::make_shared<bool>(false);  // outlives the ring
  ASSERT_TRUE(guest->control->request(list_request(ctrl::kAddGrefMapping, guest->queue().staging_list()),
                                      [=](const ControlResult& result) { *answered = result.answered; }));
  guest->turn_control(rig.pool);
  EXPECT_LT(mapped(), idle + 40);
  exchange_frames();
  guest->port.reset();  // in the middle of it
  EXPECT_EQ(mapped(), 2u);
  guest->control->poll();
  EXPECT_FALSE(*answered);
}

TEST_F(StagingTest, BoundsHoldForStagedSlotsToo) {
  ASSERT_EQ(add(guest->queue().staging_list()), ctrl::kSuccess);
  const std::uint32_t ref = raw(guest->queue().tx_buffer_ref(0));
  guest->queue().tx_page().write<xen::kTxSlotBytes>(0, xen::TxRequest{ref, 4000, 0, 0, 97});
  guest->queue().tx_page().store(xen::ring_at::kReqProd, 1, std::memory_order_release);
  EXPECT_EQ(rig.forward(*guest, *peer), 0u);
  EXPECT_EQ(guest->port->fault(), VifFault::kCrossesPage);
}

/// A receive buffer that was staged for reading only is not written.
TEST_F(StagingTest, ReadOnlyEntriesAreForSendingOnly) {
  auto list = guest->queue().staging_list();
  for (xen::CtrlGref& entry : list) entry.flags = ctrl::kGrefReadonly;
  ASSERT_EQ(add(list), ctrl::kSuccess);
  exchange_frames();  // by grant copy
  const std::uint32_t readonly = raw(guest->queue().tx_buffer_ref(0));
  const std::uint32_t slot = guest->queue().rx_page().load(xen::ring_at::kRspProd, std::memory_order_relaxed);
  guest->queue().rx_page().write<xen::kRxSlotBytes>(slot, xen::RxRequest{0, 0, readonly});
  ASSERT_TRUE(send(peer->queue(), plain_frame(60)));
  peer->queue().push_tx();
  rig.forward(*peer, *guest);
  EXPECT_EQ(guest->tx_dropped(Drop::kCopyFailed), 1u);
}

}  // namespace
}  // namespace xvif::netback
