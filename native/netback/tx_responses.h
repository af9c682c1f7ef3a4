// Responses of a TX ring, kept until they are published. Requests and responses share the ring's slots, and a frame
// whose pages are held is answered later than those behind it. So when responses are published they take the first
// slots, and requests without a response move up behind them, in their order: the slots from rsp_prod on hold the
// requests that have none, and who takes the ring over at rsp_prod (we may be killed at any time) answers each once.
// Frontends do not look at a slot between request and response.
//
// Thread: the worker that polls the queue.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "netback/shared_ring.h"

namespace xvif::netback {

class TxResponses {
 public:
  /// A frame that waits for its response.
  struct Held {
    std::uint32_t at = 0;  // ring index of its first slot; push() changes it
    std::uint16_t slots = 0;
    std::uint16_t extras = 0;  // of these, from the second on
  };

  /// Answers the frame whose `slots` begin at ring index `at`.
  void answer(std::uint32_t at, std::span<const xen::TxRequest> slots, std::uint16_t extras, std::int16_t status);
  /// The same for a frame of one slot.
  void answer(std::uint32_t at, std::uint16_t id, std::int16_t status) {
    responses_[place(at)] = {id, status};
    ++waiting_;
  }
  /// The frame at `at` is answered later. `held` must stay where it is until then.
  void hold(std::uint32_t at, std::span<const xen::TxRequest> slots, std::uint16_t extras, Held& held);
  void answer(const Held& held, std::int16_t status);

  /// Responses that are not published.
  std::uint32_t waiting() const { return waiting_; }
  /// Publishes them. `end`: ring index of the first request that is neither answered nor held; there is none before it.
  /// True when the guest wants to know.
  bool push(TxRing& ring, std::uint32_t end);

 private:
  struct Kept {
    xen::TxRequest request;
    Held* frame;  // in its first slot
  };
  static constexpr std::int16_t kNone = std::numeric_limits<std::int16_t>::min();  // no status of the protocol

  static std::size_t place(std::uint32_t at) { return at % xen::kRingSlots; }
  bool answered(std::uint32_t at) const { return responses_[place(at)].status != kNone; }
  std::uint32_t move_held_behind(std::uint32_t from, std::uint32_t end);

  std::uint32_t waiting_ = 0;
  // By ring index, for slots that are answered and not published, or held.
  std::array<xen::TxResponse, xen::kRingSlots> responses_;
  std::array<Kept, xen::kRingSlots> kept_;  // where the status is kNone
};

}  // namespace xvif::netback
