// Frames on their way to and from the kernel, with the vnet header that spares checksums and segmentation.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "port/local_payload.h"
#include "port/vnet_header.h"
#include "port/wire_frames.h"

namespace xvif {

/// One frame to be written: header and pieces.
struct KernelFrame {
  VnetHeader header;
  std::array<iovec, kSegmentsMax + 1> pieces;
  std::size_t count = 0;
};

class KernelFrames {
 public:
  /// `offload`: the kernel takes blank checksums and large TCP frames.
  KernelFrames(std::span<Linearizer* const> linearizers, bool offload) : wire_(linearizers), offload_(offload) {}

  /// `lasting`: the pieces stay as they are until the packet is released; else during the call.
  using Emit = std::function<Drop(const KernelFrame&, bool lasting)>;
  /// Makes what the kernel is to be given of `packet`: one frame, or several when it must be segmented here.
  Drop each(std::size_t thread, Packet& packet, const Emit& emit);

 private:
  Drop each_complete(std::size_t thread, Packet& packet, const Emit& emit);

  WireFrames wire_;
  const bool offload_;
};

/// Memory for one frame to be read: a packet's linear buffer, and behind it a payload for what does not fit.
class FrameSlot {
 public:
  /// False when packets or payloads are used up.
  bool prepare(PacketPool& pool, LocalPayloads& payloads);
  /// Linear buffer, then payload memory.
  std::array<iovec, 2> pieces(LocalPayloads& payloads);
  /// `bytes` bytes came: hands out the packet. The payload stays here unless it was needed. nullptr when the frame is
  /// not one to use; the packet is then still here.
  Packet* finish(std::size_t bytes, const VnetHeader& header, LocalPayloads& payloads);
  void give_back_packet();
  /// Gives back everything.
  void reset();

 private:
  Packet* packet_ = nullptr;
  Payload* payload_ = nullptr;
};

}  // namespace xvif
