#include "netback/tx_responses.h"

namespace xvif::netback {
namespace {

/// What answers slot `i` of a frame. Those of extra infos keep the info's type and flags where an id would be, so that
/// a frame whose slots were half overwritten when we were killed is still read as a frame.
xen::TxResponse response(const xen::TxRequest& slot, std::size_t i, std::uint16_t extras, std::int16_t status) {
  if (i == 0 || i > extras) return {slot.id, status};
  return {static_cast<std::uint16_t>(slot.gref), xen::rsp::kNull};
}

}  // namespace

void TxResponses::answer(std::uint32_t at, std::span<const xen::TxRequest> slots, std::uint16_t extras,
                         std::int16_t status) {
  for (std::size_t i = 0; i < slots.size(); ++i) responses_[place(at++)] = response(slots[i], i, extras, status);
  waiting_ += static_cast<std::uint32_t>(slots.size());
}

void TxResponses::hold(std::uint32_t at, std::span<const xen::TxRequest> slots, std::uint16_t extras, Held& held) {
  held = {at, static_cast<std::uint16_t>(slots.size()), extras};
  for (const xen::TxRequest& slot : slots) {
    responses_[place(at)].status = kNone;
    kept_[place(at++)] = {slot, nullptr};
  }
  kept_[place(held.at)].frame = &held;
}

void TxResponses::answer(const Held& held, std::int16_t status) {
  for (std::uint16_t i = 0; i < held.slots; ++i) {
    const std::size_t here = place(held.at + i);
    responses_[here] = response(kept_[here].request, i, held.extras, status);
  }
  waiting_ += held.slots;
}

bool TxResponses::push(TxRing& ring, std::uint32_t end) {
  const std::uint32_t first = ring.response_prod(), behind = first + waiting_;
  std::uint32_t at = first;
  while (at != behind && answered(at)) ++at;
  const std::uint32_t moved_end = at == behind ? behind : move_held_behind(at, end);
  // Whoever finds the ring before the last of these stores reads a request's id where it was: responses leave it there.
  // Between the first request that is put back and the end, one of them is there twice.
  for (at = first; at != behind; ++at) ring.respond(responses_[place(at)]);
  for (; at != moved_end; ++at) ring.put_back(at, kept_[place(at)].request);
  waiting_ = 0;
  return ring.push();
}

/// In [from, end): responses first, then what is held, each in its order. From the end, so that nothing is overwritten
/// before it has moved. Returns where what did not move begins.
std::uint32_t TxResponses::move_held_behind(std::uint32_t from, std::uint32_t end) {
  std::array<xen::TxResponse, xen::kRingSlots> ready;  // the last one first
  std::size_t count = 0;
  std::uint32_t to = end, moved_end = from;
  for (std::uint32_t at = end; at-- != from;) {
    if (answered(at)) {
      if (count == 0) moved_end = at + 1;
      ready[count++] = responses_[place(at)];
      continue;
    }
    if (--to == at) continue;
    const Kept& kept = kept_[place(to)] = kept_[place(at)];
    responses_[place(to)].status = kNone;
    if (kept.frame != nullptr) kept.frame->at = to;
  }
  for (std::size_t i = 0; i < count; ++i) responses_[place(--to)] = ready[i];
  return moved_end;
}

}  // namespace xvif::netback
