#include "netback/rx_ring_writer.h"

#include <algorithm>
#include <bit>

#include "xen/guest_memory.h"

namespace xvif::netback {
namespace {

/// An empty frame of the shortest length that a stack throws away: addressed to 00:00:00:00:00:00.
constexpr std::uint8_t kFiller[kFrameMin] = {};

}  // namespace

void RxRingWriter::place(VifThread& thread, const RxFrame& frame, PortCounters& counters) {
  if (segments_used_ + kFrameSegments > kCopyBatch || answers_used_ + kFrameSlots > kAnswers) finish(thread, counters);
  const bool plain = frame.extras(headroom_) == 0;
  if (plain && frame.head.size() == frame.size && frame.size <= xen::kPageBytes) [[likely]] {
    place_linear(thread, frame);
  } else {
    place_pieces(thread, frame);
  }
}

/// The common case: one piece in one slot.
void RxRingWriter::place_linear(VifThread& thread, const RxFrame& frame) {
  const xen::RxRequest request = ring_.take();
  const auto bytes = static_cast<std::uint16_t>(frame.size);
  const std::uint16_t flags = frame.csum_blank ? xen::rx_flag::kCsumBlank | xen::rx_flag::kDataValidated : 0;
  Answer& answer = answers_[answers_used_++];
  answer = {request.id, flags, bytes, 0, true, GrantRef{request.gref}, {}, 0};
  if (std::uint8_t* const page = staged(answer.ref); page != nullptr) {
    xen::copy_shared(page, frame.head.data(), bytes);
    return;
  }
  answer.segments = 1;
  thread.segments()[segments_used_++] = {{const_cast<std::uint8_t*>(frame.head.data()), GrantRef{0}, DomId{0}, 0},
                                         {nullptr, GrantRef{request.gref}, domid_, 0},
                                         bytes,
                                         xen::GrantStatus::kGeneralError};
}

void RxRingWriter::place_pieces(VifThread& thread, const RxFrame& frame) {
  RxCursor cursor(frame);
  const bool by_piece = frame.by_piece(headroom_);
  std::uint32_t left = frame.size;
  bool first = true;
  do {
    const xen::RxRequest request = ring_.take();
    const auto in_slot = static_cast<std::uint16_t>(
        by_piece ? cursor.piece() : std::min<std::uint32_t>(left, xen::kPageBytes - headroom_));
    left -= in_slot;
    Answer& answer = answers_[answers_used_++];
    answer = {request.id, 0, in_slot, 0, left == 0, GrantRef{request.gref}, {}, headroom_};
    if (left > 0) answer.flags = xen::rx_flag::kMoreData;
    std::uint8_t* const page = staged(answer.ref);
    for (std::uint16_t at = 0; at < in_slot;) {
      xen::CopyEnd source;
      const auto length = static_cast<std::uint16_t>(cursor.next(in_slot - at, source));
      const auto to = static_cast<std::uint16_t>(headroom_ + at);
      if (page != nullptr && source.local != nullptr) {
        xen::copy_shared(page + to, source.local, length);
      } else {
        // A mapped page must not be the local side of a grant copy (the kernel of a PV Dom0 cannot pin it).
        if (raw(source.ref) != 0) source.local = nullptr;
        thread.segments()[segments_used_++] = {
            source, {nullptr, answer.ref, domid_, to}, length, xen::GrantStatus::kGeneralError};
        ++answer.segments;
      }
      at = static_cast<std::uint16_t>(at + length);
    }
    if (first) {
      first = false;
      if (frame.csum_blank) answer.flags |= xen::rx_flag::kCsumBlank | xen::rx_flag::kDataValidated;
      if (frame.extras(headroom_) > 0) {
        answer.flags |= xen::rx_flag::kExtraInfo;
        answer.last = false;
        place_extras(frame);
        answers_[answers_used_ - 1].last = left == 0;
      }
    }
  } while (left > 0);
}

/// After the first data slot, in the order of their types as Linux has it.
void RxRingWriter::place_extras(const RxFrame& frame) {
  const std::size_t first = answers_used_;
  const auto place_one = [&](const xen::ExtraInfo& extra) {
    ring_.take();  // its buffer is not used: the frontend posts it again
    answers_[answers_used_++] = {0, 0, 0, 0, false, GrantRef{0}, extra, 0};
  };
  if (frame.gso != Gso::kNone) {
    place_one({xen::extra::kGso, 0, frame.gso_size, static_cast<std::uint8_t>(frame.gso), 0, 0});
  }
  if (frame.hash.known) {
    const std::uint32_t value = frame.hash.value;
    place_one(std::bit_cast<xen::ExtraInfo>(
        xen::HashExtra{xen::extra::kHash,
                       0,
                       frame.hash.type,
                       static_cast<std::uint8_t>(xen::ctrl::kAlgorithmToeplitz),
                       {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
                        static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)}}));
  }
  if (headroom_ != 0) place_one(std::bit_cast<xen::ExtraInfo>(xen::XdpExtra{xen::extra::kXdp, 0, headroom_, {0, 0}}));
  for (std::size_t i = first; i + 1 < answers_used_; ++i) answers_[i].extra.flags = xen::extra::kMore;
}

std::uint8_t* RxRingWriter::staged(GrantRef ref) const {
  const StagedPage* const page = staging_ == nullptr ? nullptr : staging_->find(ref);
  return page == nullptr || page->readonly ? nullptr : page->memory;
}

void RxRingWriter::finish(VifThread& thread, PortCounters& counters) {
  if (answers_used_ == 0) return;
  const auto copies = thread.segments().first(segments_used_);
  thread.grants().copy(copies);
  std::size_t segment = 0, first = 0;
  bool good = true;
  Sent sent;
  for (std::size_t i = 0; i < answers_used_; ++i) {
    for (const std::size_t end = segment + answers_[i].segments; segment < end; ++segment) {
      good &= copies[segment].status == xen::GrantStatus::kOkay;
    }
    if (!answers_[i].last) continue;
    answer_frame(thread, first, i + 1, good, counters, sent);
    first = i + 1;
    good = true;
  }
  answers_used_ = segments_used_ = 0;
  PortCounters::add(counters.tx_packets, sent.packets);
  PortCounters::add(counters.tx_bytes, sent.bytes);
}

void RxRingWriter::answer_frame(VifThread& thread, std::size_t first, std::size_t end, bool good,
                                PortCounters& counters, Sent& sent) {
  if (!good) [[unlikely]] {
    PortCounters::add(counters.tx_dropped[static_cast<std::size_t>(Drop::kCopyFailed)], 1);
    PortCounters::add(counters.tx_errors, 1);
    // Some unikernels panic on an error response. When the sender's page was at fault, not the receiver's, such a
    // guest gets a frame that it ignores.
    if (filler_ && end - first == 1 && write_filler(thread, answers_[first].ref)) {
      ring_.respond(xen::RxResponse{answers_[first].id, 0, 0, static_cast<std::int16_t>(kFrameMin)});
      return;
    }
  }
  std::uint64_t bytes = 0;
  for (const Answer& answer : std::span(answers_).subspan(first, end - first)) {
    if (answer.extra.type != 0) {
      ring_.respond(answer.extra);
      continue;
    }
    bytes += answer.bytes;
    const std::int16_t status = good ? static_cast<std::int16_t>(answer.bytes) : xen::rsp::kError;
    ring_.respond(xen::RxResponse{answer.id, answer.offset, answer.flags, status});
  }
  if (!good) return;
  ++sent.packets;
  sent.bytes += bytes;
}

bool RxRingWriter::write_filler(VifThread& thread, GrantRef ref) {
  xen::CopySegment copy{{const_cast<std::uint8_t*>(kFiller), GrantRef{0}, DomId{0}, 0},
                        {nullptr, ref, domid_, 0},
                        sizeof kFiller,
                        xen::GrantStatus::kGeneralError};
  thread.grants().copy({&copy, 1});
  return copy.status == xen::GrantStatus::kOkay;
}

}  // namespace xvif::netback
