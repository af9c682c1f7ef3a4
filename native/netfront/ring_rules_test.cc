// What the drivers of different guests do not survive, each against a backend played by hand.
#include <gtest/gtest.h>

#include "netfront/front_queue.h"

namespace xvif::netfront {
namespace {

class Frames final : public RxHandler {
 public:
  void on_frame(const RxFrame& frame) override {
    ++count;
    blank = frame.csum_blank;
    validated = frame.data_validated;
  }
  int count = 0;
  bool blank = false, validated = false;
};

class Rules : public ::testing::Test {
 protected:
  FrontQueue& queue(const RingRules& rules) {
    EXPECT_TRUE(hypervisor_.create_domain(DomId{1}));
    std::string error;
    queue_ = FrontQueue::create(hypervisor_.domain(DomId{1}), sink_, 0, true, error, rules);
    EXPECT_NE(queue_, nullptr) << error;
    queue_->post_rx(xen::kRingSlots);
    return *queue_;
  }
  /// The backend answers the next RX request.
  void respond(const xen::RxResponse& response) { respond_slot(response); }
  void respond(const xen::ExtraInfo& extra) { respond_slot(extra); }
  void respond(const xen::HashExtra& extra) { respond_slot(extra); }
  void publish() { queue_->rx_page().store(xen::ring_at::kRspProd, rsp_prod_, std::memory_order_release); }
  std::size_t receive() { return queue_->receive(frames_, 100); }
  /// Sends one frame and has it answered with `id`.
  void answer_tx(std::uint16_t id) {
    std::uint8_t bytes[60] = {};
    const iovec part{bytes, sizeof bytes};
    ASSERT_TRUE(queue_->send({&part, 1}, {}));
    queue_->push_tx();
    sent_id_ = queue_->tx_page().read<xen::kTxSlotBytes, xen::TxRequest>(tx_rsp_prod_).id;
    queue_->tx_page().write<xen::kTxSlotBytes>(tx_rsp_prod_++, xen::TxResponse{id, xen::rsp::kOkay});
    queue_->tx_page().store(xen::ring_at::kRspProd, tx_rsp_prod_, std::memory_order_release);
    queue_->reap_tx();
  }

  /// The backend answers what is on the TX ring.
  static void answer(FrontQueue& front, std::initializer_list<xen::TxResponse> responses) {
    std::uint32_t at = 0;
    front.push_tx();
    for (const xen::TxResponse& response : responses) front.tx_page().write<xen::kTxSlotBytes>(at++, response);
    front.tx_page().store(xen::ring_at::kRspProd, at, std::memory_order_release);
    front.reap_tx();
  }

  Frames frames_;
  std::uint16_t sent_id_ = 0;  // of the frame last sent

 private:
  template <typename T>
  void respond_slot(const T& value) {
    queue_->rx_page().write<xen::kRxSlotBytes>(rsp_prod_++, value);
  }

  xen::EmulatedHypervisor hypervisor_;
  xen::EvtchnSink sink_;
  std::unique_ptr<FrontQueue> queue_;
  std::uint32_t rsp_prod_ = 0, tx_rsp_prod_ = 0;
};

const RingRules kWindows{.rx_pairing = RxPairing::kSlotAsserted,
                         .rx_extras = rx_extra(xen::extra::kGso) | rx_extra(xen::extra::kHash),
                         .extras_asserted = true,
                         .tx_id_first = 3,
                         .tx_id_step = 4};
constexpr std::uint16_t kOffloaded = xen::rx_flag::kExtraInfo | xen::rx_flag::kCsumBlank | xen::rx_flag::kDataValidated;
const RingRules kUnikernel{
    .rx_pairing = RxPairing::kId, .rx_status_min = 2, .rx_extras = 0, .rx_chains = false, .swaps_rx_flags = true};

TEST_F(Rules, LinuxLooksAtTheSlotOnly) {
  FrontQueue& front = queue({});
  respond(xen::RxResponse{77, 0, 0, 60});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "");
  EXPECT_EQ(front.counters().rx_errors, 1u) << "and our tests still see it";
}

TEST_F(Rules, WindowsAssertsThatTheIdIsTheSlot) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, 0, 60});
  publish();
  EXPECT_EQ(receive(), 1u);
  EXPECT_EQ(front.panicked(), "");
  respond(xen::RxResponse{0, 0, 0, 60});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX response with id 0 in slot 1");
  EXPECT_EQ(frames_.count, 1) << "nothing moves any more";
}

TEST_F(Rules, WindowsTakesGsoAndHashAndNoOtherExtra) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, kOffloaded, 60});
  respond(xen::HashExtra{xen::extra::kHash, xen::extra::kMore, xen::ctrl::hash_type::kIpv6Tcp, 1, {}});
  respond(xen::ExtraInfo{xen::extra::kGso, 0, 1400, 1, 0, 0});
  publish();
  EXPECT_EQ(receive(), 1u);
  EXPECT_EQ(front.panicked(), "");
  respond(xen::RxResponse{3, 0, xen::rx_flag::kExtraInfo, 60});
  respond(xen::ExtraInfo{5, 0, 0, 0, 0, 0});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX extra info of type 5");
}

TEST_F(Rules, WindowsAssertsASegmentSize) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, kOffloaded, 60});
  respond(xen::ExtraInfo{xen::extra::kGso, 0, 0, 1, 0, 0});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX frame to be cut, without a segment size or with a complete checksum");
}

TEST_F(Rules, WindowsAssertsABlankChecksumOfFramesToBeCut) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, xen::rx_flag::kExtraInfo | xen::rx_flag::kDataValidated, 60});
  respond(xen::ExtraInfo{xen::extra::kGso, 0, 1400, 1, 0, 0});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX frame to be cut, without a segment size or with a complete checksum");
}

TEST_F(Rules, WindowsAssertsTheTypeOfAHash) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, xen::rx_flag::kExtraInfo, 60});
  respond(xen::HashExtra{xen::extra::kHash, 0, 32, 1, {}});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX hash of type 32");
}

TEST_F(Rules, WindowsAssertsThatFramesArePublishedWhole) {
  FrontQueue& front = queue(kWindows);
  respond(xen::RxResponse{0, 0, xen::rx_flag::kMoreData, 60});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX frame that is published in parts");
}

TEST_F(Rules, WindowsSendsAHashAlong) {
  RingRules rules = kWindows;
  rules.tx_hash = true;
  FrontQueue& front = queue(rules);
  const std::uint8_t bytes[60] = {};
  const iovec part{const_cast<std::uint8_t*>(bytes), sizeof bytes};
  ASSERT_TRUE(front.send({&part, 1}, {true, 1400, 1, 0}));
  const auto gso = front.tx_page().read<xen::kTxSlotBytes, xen::ExtraInfo>(1);
  EXPECT_EQ(gso.type, xen::extra::kGso);
  EXPECT_EQ(gso.flags, xen::extra::kMore);
  const auto hash = front.tx_page().read<xen::kTxSlotBytes, xen::ExtraInfo>(2);
  EXPECT_EQ(hash.type, xen::extra::kHash);
  EXPECT_EQ(hash.flags, 0);
}

TEST_F(Rules, WindowsTakesAnswersToExtrasAfterTheirSlots) {
  FrontQueue& front = queue(kWindows);
  ASSERT_TRUE(front.send_multicast(xen::extra::kMcastAdd, {}));
  answer(front, {{3, xen::rsp::kOkay}, {0, xen::rsp::kNull}});
  EXPECT_EQ(front.panicked(), "");
}

TEST_F(Rules, WindowsAssertsThatAnswersToExtrasComeInOrder) {
  FrontQueue& front = queue(kWindows);
  ASSERT_TRUE(front.send_multicast(xen::extra::kMcastAdd, {}));
  answer(front, {{0, xen::rsp::kNull}, {3, xen::rsp::kOkay}});
  EXPECT_EQ(front.panicked(), "TX response to an extra info that is not expected");
}

TEST_F(Rules, WindowsAssertsThatAnswersToExtrasComeAtOnce) {
  FrontQueue& front = queue(kWindows);
  ASSERT_TRUE(front.send_multicast(xen::extra::kMcastAdd, {}));
  answer(front, {{3, xen::rsp::kOkay}});
  EXPECT_EQ(front.panicked(), "TX responses to extra infos come later than their slot's");
}

TEST_F(Rules, WindowsTxIdsReach0x3ff) {
  FrontQueue& front = queue(kWindows);
  answer_tx(3);
  EXPECT_EQ(sent_id_, 3);
  EXPECT_EQ(front.panicked(), "");
  answer_tx(5);
  EXPECT_EQ(front.panicked(), "TX response with id 5, which is not in flight");
}

TEST_F(Rules, AnAnswerTwiceIsNotSurvived) {
  FrontQueue& front = queue({});
  answer_tx(0);
  EXPECT_EQ(front.panicked(), "");
  answer_tx(1);
  EXPECT_EQ(front.panicked(), "TX response with id 1, which is not in flight");
}

TEST_F(Rules, UnikraftDiesOfAnErrorResponse) {
  FrontQueue& front = queue(kUnikernel);
  respond(xen::RxResponse{0, 0, 0, xen::rsp::kError});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX response with status -1");
}

TEST_F(Rules, UnikernelsKnowNoChainsAndNoIdsBeyondTheRing) {
  queue(kUnikernel);
  respond(xen::RxResponse{0, 0, xen::rx_flag::kMoreData, 60});
  respond(xen::RxResponse{1, 0, 0, 60});
  publish();
  receive();
  EXPECT_EQ(frames_.count, 0);
}

TEST_F(Rules, MiniOsBugsOnAnIdOf256) {
  FrontQueue& front = queue({.rx_pairing = RxPairing::kId});
  respond(xen::RxResponse{256, 0, 0, 60});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "RX response with id 256");
}

TEST_F(Rules, UnikraftTakesTheTxNamesForTheRxFlags) {
  queue(kUnikernel);
  respond(xen::RxResponse{0, 0, xen::rx_flag::kCsumBlank, 60});
  publish();
  receive();
  EXPECT_TRUE(frames_.validated);
  EXPECT_FALSE(frames_.blank);
}

TEST_F(Rules, ABackendThatAnswersMoreThanItWasAsked) {
  FrontQueue& front = queue({});
  for (unsigned i = 0; i < xen::kRingSlots + 1; ++i) respond(xen::RxResponse{static_cast<std::uint16_t>(i), 0, 0, 60});
  publish();
  receive();
  EXPECT_EQ(front.panicked(), "more RX responses than requests");
}

}  // namespace
}  // namespace xvif::netfront
