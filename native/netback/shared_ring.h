// The backend's end of a ring. Requests are copied out once, whole; there is no way to look at shared memory twice.
// All indices that count are our own private copies: what the guest writes into the page's other words is ignored.
#pragma once

#include <cstdint>
#include <optional>

#include "base/assert.h"
#include "xen/ring.h"

namespace xvif::netback {

template <typename Request, typename Response, std::size_t SlotBytes>
class SharedRing {
 public:
  static constexpr std::uint32_t kSlots = xen::ring_slots(SlotBytes);

  /// Takes the ring over where the last backend left it: the next request is that at rsp_prod. nullopt when the
  /// frontend claims more requests than a ring holds.
  static std::optional<SharedRing> attach(void* page) {
    SharedRing ring{xen::RingPage(page)};
    const std::uint32_t start = ring.page_.load(xen::ring_at::kRspProd, std::memory_order_acquire);
    ring.request_cons_ = ring.response_prod_ = ring.response_pushed_ = start;
    if (!ring.pending()) return std::nullopt;
    return ring;
  }

  /// A backend before us answered on this ring.
  bool taken_over() const { return page_.load(xen::ring_at::kRspProd, std::memory_order_relaxed) != 0; }

  /// Requests posted and not taken. nullopt: req_prod is where no honest frontend can have put it (jumped ahead of
  /// our responses by more than a ring, or backwards).
  std::optional<std::uint32_t> pending() const {
    const std::uint32_t prod = page_.load(xen::ring_at::kReqProd, std::memory_order_acquire);
    if (prod - response_prod_ > kSlots || prod - request_cons_ > kSlots) [[unlikely]] {
      return std::nullopt;
    }
    return prod - request_cons_;
  }
  /// Copies the next request. The caller knows from pending() that there is one.
  Request take() { return page_.template read<SlotBytes, Request>(request_cons_++); }

  /// Ring index of the next request.
  std::uint32_t request_cons() const { return request_cons_; }

  /// Writes the next response; seen by the guest after push(). Each answers a request that was taken.
  template <typename T>
  void respond(const T& response) {
    XVIF_ASSERT(response_prod_ != request_cons_);
    page_.template write<SlotBytes>(response_prod_++, response);
  }
  /// Ring index of the next response.
  std::uint32_t response_prod() const { return response_prod_; }
  /// Writes a request that was taken into another slot without a response, for who takes the ring over.
  void put_back(std::uint32_t index, const Request& request) {
    XVIF_ASSERT(index - response_prod_ < request_cons_ - response_prod_);
    page_.template write<SlotBytes>(index, request);
  }
  /// Publishes the responses. True when the guest wants to be notified of them.
  bool push() {
    const std::uint32_t from = response_pushed_;
    if (from == response_prod_) return false;
    response_pushed_ = response_prod_;
    page_.store(xen::ring_at::kRspProd, response_prod_, std::memory_order_release);
    xen::full_barrier();  // the guest sets rsp_event, then looks at rsp_prod; we do the reverse
    return xen::must_notify(from, response_prod_, page_.load(xen::ring_at::kRspEvent, std::memory_order_relaxed));
  }
  /// Asks to be notified once `wanted` (> 0) requests are there, then looks. True when they are there already, or
  /// the ring is broken.
  bool arm(std::uint32_t wanted) {
    page_.store(xen::ring_at::kReqEvent, request_cons_ + wanted, std::memory_order_relaxed);
    xen::full_barrier();  // as in push(), with roles swapped
    const auto posted = pending();
    return !posted || *posted >= wanted;
  }

 private:
  explicit SharedRing(xen::RingPage page) : page_(page) {}

  xen::RingPage page_;
  std::uint32_t request_cons_ = 0;
  std::uint32_t response_prod_ = 0;    // of the next response
  std::uint32_t response_pushed_ = 0;  // rsp_prod as the guest knows it
};

using TxRing = SharedRing<xen::TxRequest, xen::TxResponse, xen::kTxSlotBytes>;
using RxRing = SharedRing<xen::RxRequest, xen::RxResponse, xen::kRxSlotBytes>;
using CtrlRing = SharedRing<xen::CtrlRequest, xen::CtrlResponse, xen::kCtrlSlotBytes>;

}  // namespace xvif::netback
