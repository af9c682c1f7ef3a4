#include "netback/tx_queue.h"

#include <algorithm>
#include <mutex>

#include "base/clock.h"
#include "packet/checksum.h"
#include "packet/segment.h"
#include "xen/guest_memory.h"

namespace xvif::netback {

TxQueue::TxQueue(const TxRing& ring, DomId domid, VifShared& shared, StagingTable* staging)
    : ring_(ring),
      domid_(domid),
      shared_(shared),
      staging_(staging),
      window_at_(ring.request_cons()),
      in_flight_(std::make_unique<std::array<InFlight, kTxInFlightMax>>()) {
  in_flight_free_.reserve(kTxInFlightMax);
  for (std::uint32_t i = 0; i < kTxInFlightMax; ++i) {
    (*in_flight_)[i].payload.owner = this;
    (*in_flight_)[i].payload.cookie = i;
    in_flight_free_.push_back(i);
  }
}

TxQueue::~TxQueue() {
  XVIF_ASSERT(in_flight_free_.size() == kTxInFlightMax);  // packets were released before the port was closed
}

VifFault TxQueue::fill_window() {
  const auto pending = ring_.pending();
  if (!pending) return VifFault::kRequestsBeyondRing;
  window_at_ = ring_.request_cons();
  window_head_ = window_tail_ = 0;
  while (window_tail_ < *pending) window_[window_tail_++] = ring_.take();
  return VifFault::kNone;
}

std::size_t TxQueue::receive(VifThread& thread, PacketPool& pool, std::span<Packet*> out, PortCounters& counters,
                             VifFault& fault) {
  if (window_head_ == window_tail_) {
    fault = fill_window();
    if (fault != VifFault::kNone) return 0;
  }
  std::unique_lock<SpinLock> mapped;
  if (staging_ != nullptr && staging_->used()) mapped = std::unique_lock(staging_->tx_lock());
  mapped_ = mapped.owns_lock() ? staging_ : nullptr;
  throttled_ns_ = 0;
  limit_ = shared_.rate.changes();  // before asking: whoever changes it after this is noticed
  const bool limited = shared_.rate.limited();
  const std::uint64_t now = limited ? now_ns() : 0;
  std::size_t staged = 0, segments = 0;
  const std::size_t batch = std::min(out.size(), kBatchMax);
  while (staged < batch && window_head_ < window_tail_) {
    if (segments + kSlotsAccepted > kCopyBatch || in_flight_free_.size() <= staged) break;
    Staged& next = staged_[staged];
    const TxResult result = assemble(std::span(window_).subspan(window_head_, window_tail_ - window_head_), next.tx);
    if (result.verdict == TxVerdict::kFault) {
      fault = result.fault;
      break;
    }
    if (result.verdict == TxVerdict::kPacket) {
      next.packet = pool.take();
      if (next.packet == nullptr) break;  // again when packets are back
      if (limited) [[unlikely]] {
        throttled_ns_ = shared_.rate.take(next.tx.size, now);
        if (throttled_ns_ != 0) {
          next.packet->release();
          break;
        }
      }
      next.at = window_head_;
      next.slots = result.consumed;
      stage(next, thread, segments);
      ++staged;
    } else if (result.verdict == TxVerdict::kControl) {
      respond(window_head_, result.consumed, next.tx.extras, control(next.tx));
    } else {
      respond(window_head_, result.consumed, next.tx.extras, xen::rsp::kError);
      PortCounters::add(counters.rx_dropped[static_cast<std::size_t>(Drop::kGuestError)], 1);
      PortCounters::add(counters.rx_errors, 1);
    }
    window_head_ += result.consumed;
  }
  thread.grants().copy(thread.segments().first(segments));

  std::size_t received = 0;
  std::uint64_t bytes = 0;
  for (Staged& done : std::span(staged_).first(staged)) {
    const auto copied = thread.segments().subspan(done.first_segment, done.segments);
    const bool failed = std::any_of(copied.begin(), copied.end(),
                                    [](const xen::CopySegment& s) { return s.status != xen::GrantStatus::kOkay; });
    const Drop drop = failed ? Drop::kCopyFailed : offloads(done);
    if (drop != Drop::kNone) [[unlikely]] {
      respond(done.at, done.slots, done.tx.extras, xen::rsp::kError);
      PortCounters::add(counters.rx_dropped[static_cast<std::size_t>(drop)], 1);
      PortCounters::add(counters.rx_errors, 1);
      done.packet->release();
      continue;
    }
    keep_payload(done);
    bytes += done.packet->size;
    out[received++] = done.packet;
  }
  PortCounters::add(counters.rx_packets, received);
  PortCounters::add(counters.rx_bytes, bytes);
  return received;
}

std::int16_t TxQueue::control(const TxPacket& tx) {
  if (tx.multicast == xen::extra::kMcastDel) {
    shared_.multicast.remove(tx.multicast_address);
    return xen::rsp::kOkay;
  }
  return shared_.multicast.add(tx.multicast_address) ? xen::rsp::kOkay : xen::rsp::kError;
}

/// Fetches the first kPullBytes: what is mapped at once, the rest with segments.
void TxQueue::stage(Staged& staged, VifThread& thread, std::size_t& segments) {
  const TxPacket& tx = staged.tx;
  Packet& packet = *staged.packet;
  packet.size = tx.size;
  staged.first_segment = static_cast<std::uint16_t>(segments);
  const auto pull = std::min<std::uint32_t>(tx.size, kPullBytes);
  packet.linear = pull;
  std::uint32_t done = 0;
  for (std::size_t i = 0; done < pull; ++i) {
    const TxSlot& slot = tx.slots[i];
    if (slot.size == 0) continue;
    const auto length = static_cast<std::uint16_t>(std::min<std::uint32_t>(slot.size, pull - done));
    if (const StagedPage* const page = mapped(slot.ref); page != nullptr) {
      xen::copy_shared(packet.data + done, page->memory + slot.offset, length);
    } else {
      thread.segments()[segments++] = {{nullptr, slot.ref, domid_, slot.offset},
                                       {packet.data + done, GrantRef{0}, DomId{0}, 0},
                                       length,
                                       xen::GrantStatus::kGeneralError};
    }
    done += length;
  }
  staged.segments = static_cast<std::uint16_t>(segments - staged.first_segment);
}

/// Checks what the guest left to us, now that the headers are there.
Drop TxQueue::offloads(Staged& staged) const {
  const TxPacket& tx = staged.tx;
  Packet& packet = *staged.packet;
  if (!tx.csum_blank && tx.gso == Gso::kNone) [[likely]]
    return Drop::kNone;
  if (!setup_checksum(packet)) return Drop::kMalformed;
  if (tx.gso == Gso::kNone) return Drop::kNone;
  const unsigned version = packet.data[packet.l3] >> 4;
  if (packet.csum_offset != Segmenter::kCsumOffset || version != (tx.gso == Gso::kTcpv4 ? 4u : 6u)) {
    return Drop::kMalformed;
  }
  const std::uint32_t headers = packet.csum_start + (packet.data[packet.csum_start + 12] >> 4) * 4u;
  if (headers > packet.linear) return Drop::kMalformed;
  const std::uint32_t payload = packet.size - headers;
  if (payload <= tx.gso_size) return Drop::kNone;  // nothing to cut
  if ((payload + tx.gso_size - 1) / tx.gso_size > kGsoFramesMax) return Drop::kTooBig;
  packet.gso = tx.gso;
  packet.gso_size = tx.gso_size;
  return Drop::kNone;
}

/// What was not copied becomes payload; without any the guest has its buffers back at once.
void TxQueue::keep_payload(Staged& staged) {
  const TxPacket& tx = staged.tx;
  Packet& packet = *staged.packet;
  if (packet.linear == packet.size) {
    if (staged.slots == 1) [[likely]] {
      responses_.answer(window_at_ + staged.at, tx.id, xen::rsp::kOkay);
    } else {
      respond(staged.at, staged.slots, tx.extras, xen::rsp::kOkay);
    }
    return;
  }
  InFlight& flight = (*in_flight_)[in_flight_free_.back()];
  in_flight_free_.pop_back();
  flight.pins = 0;
  responses_.hold(window_at_ + staged.at, std::span(window_).subspan(staged.at, staged.slots), tx.extras, flight.held);
  Payload& payload = flight.payload;
  payload.refs = 1;
  payload.count = 0;
  payload.bytes = packet.size - packet.linear;
  std::uint32_t skip = packet.linear;
  for (const TxSlot& slot : std::span(tx.slots).first(tx.count)) {
    const auto skipped = std::min<std::uint32_t>(skip, slot.size);
    skip -= skipped;
    if (slot.size == skipped) continue;
    const auto offset = static_cast<std::uint16_t>(slot.offset + skipped);
    StagedPage* const page = mapped(slot.ref);
    if (page != nullptr) {
      page->pin();
      flight.pinned[flight.pins++] = page;
    }
    payload.segments[payload.count++] = {page == nullptr ? nullptr : page->memory + offset, slot.ref, domid_, offset,
                                         slot.size - skipped};
  }
  packet.payload = &payload;
}

void TxQueue::payload_done(Payload& payload) {
  const InFlight& flight = (*in_flight_)[payload.cookie];
  for (StagedPage* const page : std::span(flight.pinned).first(flight.pins)) page->unpin();
  responses_.answer(flight.held, xen::rsp::kOkay);
  awaited_ = true;
  in_flight_free_.push_back(payload.cookie);
}

}  // namespace xvif::netback
