#include "netback/rx_queue.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "base/bytes.h"
#include "base/clock.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/segment.h"

namespace xvif::netback {

void RxQueue::drop(PortCounters& counters, Drop reason, std::size_t packets) {
  PortCounters::add(counters.tx_dropped[static_cast<std::size_t>(reason)], packets);
}

std::unique_lock<SpinLock> RxQueue::use_staging() {
  std::unique_lock<SpinLock> lock;
  if (staging_ != nullptr && staging_->used()) lock = std::unique_lock(staging_->rx_lock());
  writer_.use(lock.owns_lock() ? staging_ : nullptr);
  return lock;
}

RxOutcome RxQueue::transmit(VifThread& thread, std::span<Packet* const> packets, std::span<const RxHash> hashes,
                            PortCounters& counters) {
  std::lock_guard lock(lock_);
  const auto staged = use_staging();
  room_ = 0;
  if (!backlog_.empty()) drain_locked(thread, counters);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    hash_ = hashes.empty() ? RxHash{} : hashes[i];
    send(thread, *packets[i], counters);
  }
  return finish(thread, counters);
}

RxOutcome RxQueue::drain(VifThread& thread, PortCounters& counters) {
  std::lock_guard lock(lock_);
  const auto staged = use_staging();
  room_ = 0;
  drain_locked(thread, counters);
  return finish(thread, counters);
}

bool RxQueue::arm() {
  if (!backlogged()) return false;
  std::lock_guard lock(lock_);
  if (backlog_.empty() || fault_ != VifFault::kNone) return false;
  return writer_.arm(backlog_.front().slots(writer_.headroom()));
}

/// Ends a call: copies, answers, and when frames wait asks to hear of new buffers.
RxOutcome RxQueue::finish(VifThread& thread, PortCounters& counters) {
  writer_.finish(thread, counters);
  // Buffers that came while we were at it are used now; those that come later make an event. Each turn sends a frame,
  // unless the guest took its buffers back: then it waits for its next ones in vain, and the work is bounded.
  std::size_t before = backlog_.size() + 1;
  while (!backlog_.empty() && backlog_.size() < before && fault_ == VifFault::kNone &&
         writer_.arm(backlog_.front().slots(writer_.headroom()))) {
    before = backlog_.size();
    room_ = 0;
    drain_locked(thread, counters);
  }
  backlogged_.store(!backlog_.empty(), std::memory_order_release);
  return {fault_, writer_.push()};
}

void RxQueue::drain_locked(VifThread& thread, PortCounters& counters) {
  if (backlog_.empty()) return;
  const std::uint64_t now = now_ns();
  while (!backlog_.empty() && now - backlog_.front_ns() > std::uint64_t{kBacklogAgeMs} * 1'000'000u) {
    drop(counters, Drop::kBacklogFull);
    backlog_.pop();
  }
  std::size_t placed = 0;
  while (placed < backlog_.size() && place(thread, backlog_.at(placed), counters)) ++placed;
  writer_.finish(thread, counters);  // copies out of the frames that go now
  for (; placed > 0; --placed) backlog_.pop();
}

bool RxQueue::place(VifThread& thread, const RxFrame& frame, PortCounters& counters) {
  const std::uint32_t slots = frame.slots(writer_.headroom());
  if (room_ < slots) {
    const auto room = writer_.room();
    if (!room) {
      fault_ = VifFault::kRequestsBeyondRing;
      return false;
    }
    room_ = *room;
    if (room_ < slots) return false;
  }
  room_ -= slots;
  writer_.place(thread, frame, counters);
  return true;
}

void RxQueue::place_or_queue(VifThread& thread, const RxFrame& frame, PortCounters& counters) {
  if (backlog_.empty() && place(thread, frame, counters)) [[likely]]
    return;
  if (fault_ != VifFault::kNone) {
    drop(counters, Drop::kLinkDown);
  } else if (!backlog_.room(frame.size)) {
    drop(counters, Drop::kBacklogFull);
  } else if (!backlog_.add(thread.grants(), frame, now_ns())) {
    drop(counters, Drop::kCopyFailed);
  }
}

bool RxQueue::csum_ready(const Packet& packet) const {
  if (!packet.csum_blank) return true;
  if (complete_checksums_) return false;
  if (packet.l3 == 0 || packet.l3 >= packet.linear) return false;
  const unsigned version = packet.data[packet.l3] >> 4;
  return version == 4 ? features_.csum_blank_ipv4 : version == 6 && features_.csum_blank_ipv6;
}

bool RxQueue::gso_taken(const Packet& packet) const {
  const bool known = packet.gso == Gso::kTcpv4 ? features_.gso_tcpv4 : features_.gso_tcpv6;
  return features_.sg && known && !complete_checksums_ && fits(RxFrame::of(packet));
}

/// Into as many slots as the frontend takes for one frame.
bool RxQueue::fits(const RxFrame& frame) const {
  return frame.data_slots(writer_.headroom()) <= (features_.sg ? kRxSlotsMax : 1);
}

/// As Linux' bridge and Open vSwitch: frames yet to be cut into segments have their own idea of the MTU.
bool RxQueue::beyond_mtu(const Packet& packet) const {
  if (mtu_ == 0 || packet.gso != Gso::kNone) return false;
  const std::uint16_t type = load_be16(packet.data + kEthernetBytes - 2);
  const std::uint32_t tag = ethertype::is_vlan(type) ? kVlanBytes : 0u;
  return packet.size > kEthernetBytes + tag + mtu_;
}

void RxQueue::configure(const PortSettings& settings, PortCounters& counters) {
  std::lock_guard lock(lock_);
  complete_checksums_ = settings.complete_checksums;
  mtu_ = settings.mtu;
  const std::uint16_t headroom = std::min(settings.xdp_headroom, kXdpHeadroomMax);
  if (headroom == writer_.headroom()) return;
  writer_.set_headroom(headroom);
  drop(counters, Drop::kTooBig, backlog_.erase_if([&](const RxFrame& frame) { return !fits(frame); }));
  backlogged_.store(!backlog_.empty(), std::memory_order_release);
}

void RxQueue::send(VifThread& thread, Packet& packet, PortCounters& counters) {
  const bool csum = csum_ready(packet);
  const bool segment = packet.gso != Gso::kNone && !(csum && gso_taken(packet));
  if (packet.size < kEthernetBytes) [[unlikely]] {
    drop(counters, Drop::kMalformed);  // an empty frame would take no request, and some unikernels panic on it
  } else if (packet.size > kFrameMax || beyond_mtu(packet) || (!segment && !fits(RxFrame::of(packet)))) [[unlikely]] {
    drop(counters, Drop::kTooBig);
  } else if (csum && !segment) [[likely]] {
    place_or_queue(thread, RxFrame::of(packet, hash_), counters);
  } else if (!segment && packet.payload == nullptr) {
    // Completing it in place serves the ports after this one too.
    if (fill_checksum(packet)) {
      place_or_queue(thread, RxFrame::of(packet, hash_), counters);
    } else {
      drop(counters, Drop::kMalformed);
    }
  } else {
    send_changed(thread, packet, segment, counters);
  }
}

/// Needs the bytes: completes the checksum, or cuts the frame in segments.
void RxQueue::send_changed(VifThread& thread, const Packet& packet, bool segment, PortCounters& counters) {
  const auto frame = thread.scratch().first(packet.size);
  if (!thread.linearizer().copy_out(packet, frame)) {
    drop(counters, Drop::kCopyFailed);
  } else if (segment) {
    send_segmented(thread, packet, frame, counters);
  } else if (!fill_checksum(frame, packet.csum_start, packet.csum_offset)) {
    drop(counters, Drop::kMalformed);
  } else {
    place_or_queue(thread, RxFrame::of(frame, {}, hash_), counters);
  }
  writer_.finish(thread, counters);  // the scratch memory is used again
}

void RxQueue::send_segmented(VifThread& thread, const Packet& packet, std::span<const std::uint8_t> frame,
                             PortCounters& counters) {
  auto segmenter = Segmenter::make(frame, packet.gso, packet.gso_size, SegmentChecksum::kComplete);
  if (!segmenter) return drop(counters, Drop::kMalformed);
  // Headers change from piece to piece, so some are kept aside until their copies are done.
  constexpr std::size_t kHeads = 32, kHeadBytes = 512;
  std::array<std::array<std::uint8_t, kHeadBytes>, kHeads> heads;
  std::size_t used = 0;
  while (const auto piece = segmenter->next()) {
    if (piece->headers.size() > kHeadBytes || !fits(RxFrame::of(piece->headers, piece->payload))) {
      return drop(counters, Drop::kTooBig);
    }
    if (used == kHeads) {
      writer_.finish(thread, counters);
      used = 0;
    }
    std::memcpy(heads[used].data(), piece->headers.data(), piece->headers.size());
    const auto head = std::span(heads[used++]).first(piece->headers.size());
    place_or_queue(thread, RxFrame::of(head, piece->payload, hash_), counters);
  }
  writer_.finish(thread, counters);  // `heads` goes
}

}  // namespace xvif::netback
