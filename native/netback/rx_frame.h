// A frame on its way to a guest, in the form that its frontend takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "netback/rx_hash.h"
#include "packet/packet.h"
#include "xen/hypervisor.h"

namespace xvif::netback {

/// Data slots of a frame that every frontend with feature-sg takes (XEN_NETIF_NR_SLOTS_MIN).
inline constexpr std::uint32_t kRxSlotsMax = 18;
inline constexpr std::uint32_t kSparseSlots = 2;

/// Bytes: `head`, then `body`, then `segments`. A view.
struct RxFrame {
  std::span<const std::uint8_t> head;
  std::span<const std::uint8_t> body;
  std::span<const Segment> segments;
  std::uint32_t size;
  bool csum_blank;
  Gso gso;  // announced with an extra info
  std::uint16_t gso_size;
  RxHash hash;  // likewise, when known

  static RxFrame of(const Packet& packet, const RxHash& hash = {}) {
    RxFrame frame{};
    frame.head = {packet.data, packet.linear};
    if (packet.payload != nullptr) {
      frame.segments = std::span(packet.payload->segments).first(packet.payload->count);
    }
    frame.size = packet.size;
    frame.csum_blank = packet.csum_blank;
    frame.gso = packet.gso;
    frame.gso_size = packet.gso_size;
    frame.hash = hash;
    return frame;
  }
  static RxFrame of(std::span<const std::uint8_t> head, std::span<const std::uint8_t> body, const RxHash& hash = {}) {
    return {head, body, {}, static_cast<std::uint32_t>(head.size() + body.size()), false, Gso::kNone, 0, hash};
  }
  /// Large frames go piece by piece: each of the sender's pages into a page of its own, where packing them would cut
  /// every one in two and so double the copies. Costs at most kSparseSlots requests more.
  bool by_piece(std::uint32_t headroom) const {
    const auto packed = packed_slots(headroom);
    const auto pieces = static_cast<std::uint32_t>(segments.size()) + 1;
    if (packed < 2 || head.empty() || !body.empty() || pieces > std::min(packed + kSparseSlots, kRxSlotsMax)) {
      return false;
    }
    if (head.size() > xen::kPageBytes - headroom) return false;
    return std::all_of(segments.begin(), segments.end(),
                       [&](const Segment& segment) { return segment.length <= xen::kPageBytes - headroom; });
  }
  /// RX requests that its bytes take, with `headroom` left free in each.
  std::uint32_t data_slots(std::uint32_t headroom) const {
    return by_piece(headroom) ? static_cast<std::uint32_t>(segments.size()) + 1 : packed_slots(headroom);
  }
  std::uint32_t packed_slots(std::uint32_t headroom) const {
    const auto room = static_cast<std::uint32_t>(xen::kPageBytes) - headroom;
    return (size + room - 1) / room;
  }
  std::uint32_t extras(std::uint32_t headroom) const {
    return (gso != Gso::kNone ? 1u : 0u) + (hash.known ? 1u : 0u) + (headroom != 0 ? 1u : 0u);
  }
  /// RX requests it takes, extra infos included.
  std::uint32_t slots(std::uint32_t headroom) const { return data_slots(headroom) + extras(headroom); }
};

/// Brings a frame into one piece, granted segments with one batched copy. False when a copy failed.
bool gather(xen::GrantTable& grants, const RxFrame& frame, std::uint8_t* out);

/// Walks over the pieces of a frame.
class RxCursor {
 public:
  explicit RxCursor(const RxFrame& frame) : frame_(frame) { settle(); }

  /// The next piece, at most `room` bytes: where it is, and how long. With a reference other than 0, `local` and the
  /// granted bytes are the same memory.
  std::uint32_t next(std::uint32_t room, xen::CopyEnd& source);
  /// Bytes left of the piece it stands on; 0 at the end.
  std::uint32_t piece() const { return length_ - done_; }

 private:
  void settle();

  const RxFrame& frame_;
  std::size_t piece_ = 0;  // 0: head, 1: body, 2...: segments
  std::uint32_t done_ = 0;
  std::uint32_t length_ = 0;
};

}  // namespace xvif::netback
