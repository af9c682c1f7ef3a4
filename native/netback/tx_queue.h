// From guest: the TX ring. Every frame's first kPullBytes are copied into the packet, in one batched copy for all
// frames of a receive(); the rest stays in the guest's pages as payload, and its TX responses wait until the last
// packet that shares it is gone.
//
// Thread: the worker that polls the queue.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "netback/shared_ring.h"
#include "netback/staging.h"
#include "netback/tx_assemble.h"
#include "netback/tx_responses.h"
#include "netback/vif_shared.h"
#include "netback/vif_thread.h"
#include "port/port.h"

namespace xvif::netback {

class TxQueue final : private PayloadOwner {
 public:
  TxQueue(const TxRing& ring, DomId domid, VifShared& shared, StagingTable* staging = nullptr);
  ~TxQueue();
  TxQueue(const TxQueue&) = delete;
  TxQueue& operator=(const TxQueue&) = delete;

  /// As PortQueue::receive. On a fault of the frontend `fault` is set and the ring must not be used again.
  std::size_t receive(VifThread& thread, PacketPool& pool, std::span<Packet*> out, PortCounters& counters,
                      VifFault& fault);
  /// Publishes responses. True when the guest wants to know.
  bool push() {
    awaited_ = false;
    return responses_.push(ring_, window_at_ + window_head_);
  }
  /// Responses not published.
  std::uint32_t responses_waiting() const { return responses_.waiting(); }
  /// Some of those are errors, or of frames whose pages we held: a guest may wait for these before it sends more (TCP
  /// small queues).
  bool responses_awaited() const { return awaited_; }
  /// Asks for events. True when there is work already. Not while throttled().
  bool arm() { return window_head_ != window_tail_ || ring_.arm(1); }
  /// The last receive() stopped for want of credit: when there will be some. 0: it did not. The ring is left alone
  /// until then, so the guest's own queue fills and nothing is lost.
  std::uint64_t throttled() const { return throttled_ns_; }
  /// The limit is another one than that which stopped it.
  bool limit_changed() const { return shared_.rate.changes() != limit_; }

 private:
  struct InFlight {
    Payload payload;
    TxResponses::Held held;
    std::uint8_t pins;
    std::array<StagedPage*, kSlotsAccepted> pinned;  // pins of them: where payload lies
  };
  struct Staged {
    TxPacket tx;
    Packet* packet;
    std::uint32_t at;     // of its first slot in window_
    std::uint32_t slots;  // extra infos included
    std::uint16_t first_segment;
    std::uint16_t segments;
  };

  VifFault fill_window();
  /// What a dummy request's extra infos ask for. Returns the status to answer with.
  std::int16_t control(const TxPacket& tx);
  void stage(Staged& staged, VifThread& thread, std::size_t& segments);
  Drop offloads(Staged& staged) const;
  void keep_payload(Staged& staged);
  /// nullptr: the slot's page is not mapped. Within receive().
  StagedPage* mapped(GrantRef ref) const { return mapped_ == nullptr ? nullptr : mapped_->find(ref); }
  /// Answers slots of window_ from `at` on.
  void respond(std::uint32_t at, std::uint32_t slots, std::uint16_t extras, std::int16_t status) {
    if (status != xen::rsp::kOkay) awaited_ = true;
    responses_.answer(window_at_ + at, std::span(window_).subspan(at, slots), extras, status);
  }
  void payload_done(Payload& payload) override;

  TxRing ring_;
  TxResponses responses_;
  const DomId domid_;
  VifShared& shared_;
  bool awaited_ = false;
  std::uint64_t throttled_ns_ = 0;
  std::uint32_t limit_ = 0;  // shared_.rate.changes() when it was throttled
  StagingTable* const staging_;
  const StagingTable* mapped_ = nullptr;  // staging_ while its lock is held
  // Requests copied out of the ring and not yet looked at: window_[head, tail). window_[0] was at ring index
  // window_at_.
  std::uint32_t window_at_, window_head_ = 0, window_tail_ = 0;
  std::array<xen::TxRequest, xen::kRingSlots> window_;
  std::array<Staged, kBatchMax> staged_;
  std::unique_ptr<std::array<InFlight, kTxInFlightMax>> in_flight_;
  std::vector<std::uint32_t> in_flight_free_;  // indices
};

}  // namespace xvif::netback
