// Places frames in RX slots: collects the copies of many frames, carries them out at once, then writes the responses,
// in order, each into the slot of its request.
//
// Thread: the holder of the queue's lock.
#pragma once

#include <array>
#include <cstdint>

#include "netback/fault.h"
#include "netback/rx_frame.h"
#include "netback/shared_ring.h"
#include "netback/staging.h"
#include "netback/vif_thread.h"
#include "port/port.h"

namespace xvif::netback {

/// XDP headroom that is left at most: half of a page. Linux' frontend asks for 256; netif.h would allow 32767, which
/// no page has.
inline constexpr std::uint16_t kXdpHeadroomMax = xen::kPageBytes / 2;

class RxRingWriter {
 public:
  /// `filler`: instead of an error response, answer a single-slot frame that could not be copied with an empty frame.
  RxRingWriter(const RxRing& ring, DomId domid, bool filler) : ring_(ring), domid_(domid), filler_(filler) {}

  /// Requests that can be used. nullopt: the frontend broke the ring.
  std::optional<std::uint32_t> room() const { return ring_.pending(); }
  /// Slots that name these pages are written directly; nullptr: none. The caller holds the table's lock until the next
  /// call, or the writer is not used any more.
  void use(const StagingTable* staging) { staging_ = staging; }
  /// Takes the frame's requests, which room() has. Its bytes must stay until finish().
  void place(VifThread& thread, const RxFrame& frame, PortCounters& counters);
  /// Copies, answers. The responses are not visible before push().
  void finish(VifThread& thread, PortCounters& counters);
  /// Bytes left free before the data of each slot, and told with an extra info (XDP); at most kXdpHeadroomMax.
  void set_headroom(std::uint16_t headroom) { headroom_ = headroom; }
  std::uint16_t headroom() const { return headroom_; }
  bool push() { return ring_.push(); }
  bool arm(std::uint32_t wanted) { return ring_.arm(wanted); }

 private:
  struct Answer {
    std::uint16_t id;
    std::uint16_t flags;
    std::uint16_t bytes;
    std::uint16_t segments;  // copies into this slot
    bool last;               // slot of its frame
    GrantRef ref;
    xen::ExtraInfo extra;  // type not 0: this slot holds it
    std::uint16_t offset;  // of the data
  };
  static constexpr std::size_t kAnswers = 256;
  static constexpr std::size_t kFrameSlots = kRxSlotsMax + 3;  // and each kind of extra info
  static constexpr std::size_t kFrameSegments = kFrameSlots + kSegmentsMax + 2;
  static_assert(kFrameSegments <= kCopyBatch && kFrameSlots <= kAnswers);

  struct Sent {
    std::uint64_t packets = 0, bytes = 0;
  };
  void place_linear(VifThread& thread, const RxFrame& frame);
  void place_pieces(VifThread& thread, const RxFrame& frame);
  void place_extras(const RxFrame& frame);
  /// Where the buffer of a request is mapped; nullptr: it is not, or not for us to write.
  std::uint8_t* staged(GrantRef ref) const;
  void answer_frame(VifThread& thread, std::size_t first, std::size_t end, bool good, PortCounters& counters,
                    Sent& sent);
  bool write_filler(VifThread& thread, GrantRef ref);

  RxRing ring_;
  const DomId domid_;
  const bool filler_;
  const StagingTable* staging_ = nullptr;
  std::uint16_t headroom_ = 0;
  std::size_t answers_used_ = 0;
  std::size_t segments_used_ = 0;  // of the thread's
  std::array<Answer, kAnswers> answers_;
};

}  // namespace xvif::netback
