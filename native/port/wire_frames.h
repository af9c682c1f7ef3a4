// Packets as they would stand on a wire, for ports whose outside takes nothing less: in one piece, checksums
// complete, large TCP frames segmented, padded to the shortest frame.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/schema.gen.h"
#include "packet/packet.h"

namespace xvif {

class WireFrames {
 public:
  /// `linearizers` is indexed by thread; entries may be nullptr where no payload is granted.
  explicit WireFrames(std::span<Linearizer* const> linearizers);

  /// Returns why the frame could not be taken.
  using Emit = std::function<Drop(std::span<const std::uint8_t>)>;
  /// Calls `emit` for each frame that `packet` makes until it returns a reason; the bytes are valid during the call.
  /// The packet keeps its meaning: a checksum filled in place is no longer marked blank.
  Drop each(std::size_t thread, Packet& packet, const Emit& emit);

  /// The whole packet in one piece, as it is: its own linear bytes, or a copy in the thread's scratch memory. Empty
  /// when payload could not be copied. Room for kFrameMin bytes is there.
  std::span<std::uint8_t> contiguous(std::size_t thread, Packet& packet);

 private:
  struct Scratch {
    std::array<std::uint8_t, kFrameMax> frame;
    std::array<std::uint8_t, kFrameMax> segment;
  };
  Scratch& scratch(std::size_t thread);
  Drop each_segment(Scratch& scratch, std::span<const std::uint8_t> frame, const Packet& packet, const Emit& emit);

  std::array<Linearizer*, kThreadsMax> linearizers_{};
  // thread n: rw of [n], made when first needed
  std::array<std::unique_ptr<Scratch>, kThreadsMax> scratch_;
};

}  // namespace xvif
