#include "netback/rx_frame.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "xen/guest_memory.h"

namespace xvif::netback {

void RxCursor::settle() {
  for (;; ++piece_) {
    if (piece_ >= 2 + frame_.segments.size()) {
      length_ = 0;
      return;
    }
    length_ = static_cast<std::uint32_t>(piece_ == 0   ? frame_.head.size()
                                         : piece_ == 1 ? frame_.body.size()
                                                       : frame_.segments[piece_ - 2].length);
    if (length_ > 0) return;
  }
}

std::uint32_t RxCursor::next(std::uint32_t room, xen::CopyEnd& source) {
  const std::uint32_t length = std::min(room, length_ - done_);
  if (piece_ < 2) {
    const auto bytes = piece_ == 0 ? frame_.head : frame_.body;
    source = {const_cast<std::uint8_t*>(bytes.data() + done_), GrantRef{0}, DomId{0}, 0};
  } else {
    const Segment& segment = frame_.segments[piece_ - 2];
    source = {segment.memory == nullptr ? nullptr : const_cast<std::uint8_t*>(segment.memory + done_), segment.ref,
              segment.domid, static_cast<std::uint16_t>(segment.offset + done_)};
  }
  done_ += length;
  if (done_ == length_) {
    ++piece_;
    done_ = 0;
    settle();
  }
  return length;
}

bool gather(xen::GrantTable& grants, const RxFrame& frame, std::uint8_t* out) {
  std::array<xen::CopySegment, kSegmentsMax> copies;
  std::size_t count = 0;
  const auto append = [&](const std::uint8_t* from, std::size_t bytes) {
    if (bytes > 0) xen::copy_shared(out, from, bytes);
    out += bytes;
  };
  append(frame.head.data(), frame.head.size());
  append(frame.body.data(), frame.body.size());
  for (const Segment& segment : frame.segments) {
    if (segment.memory != nullptr) {
      append(segment.memory, segment.length);
      continue;
    }
    copies[count++] = {{nullptr, segment.ref, segment.domid, segment.offset},
                       {out, GrantRef{0}, DomId{0}, 0},
                       static_cast<std::uint16_t>(segment.length),
                       xen::GrantStatus::kGeneralError};
    out += segment.length;
  }
  const auto used = std::span(copies).first(count);
  grants.copy(used);
  return std::all_of(used.begin(), used.end(),
                     [](const xen::CopySegment& s) { return s.status == xen::GrantStatus::kOkay; });
}

}  // namespace xvif::netback
