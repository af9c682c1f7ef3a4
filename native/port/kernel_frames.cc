#include "port/kernel_frames.h"

#include <algorithm>
#include <cstring>

namespace xvif {

namespace {

constexpr std::size_t kEthernetHeader = 14;

/// All pieces, when none is granted.
bool gather(const Packet& packet, KernelFrame& frame) {
  frame.pieces[0] = {packet.data, packet.linear};
  frame.count = 1;
  for (std::uint32_t i = 0; packet.payload != nullptr && i < packet.payload->count; ++i) {
    const Segment& segment = packet.payload->segments[i];
    if (segment.memory == nullptr) return false;
    frame.pieces[frame.count++] = {const_cast<std::uint8_t*>(segment.memory), segment.length};
  }
  return true;
}

}  // namespace

Drop KernelFrames::each(std::size_t thread, Packet& packet, const Emit& emit) {
  const bool left_to_kernel = packet.csum_blank || packet.gso != Gso::kNone;
  // The kernel segments IP right behind Ethernet and VLAN only.
  const bool complete = (left_to_kernel && !offload_) || (packet.gso != Gso::kNone && packet.l3 == 0);
  if (complete || packet.size < kFrameMin) return each_complete(thread, packet, emit);
  KernelFrame frame;
  frame.header = vnet_header_of(packet);
  if (gather(packet, frame)) return emit(frame, true);
  const auto whole = wire_.contiguous(thread, packet);
  if (whole.empty()) return Drop::kCopyFailed;
  frame.pieces[0] = {whole.data(), whole.size()};
  frame.count = 1;
  return emit(frame, false);
}

Drop KernelFrames::each_complete(std::size_t thread, Packet& packet, const Emit& emit) {
  return wire_.each(thread, packet, [&](std::span<const std::uint8_t> bytes) {
    KernelFrame frame;
    frame.pieces[0] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    frame.count = 1;
    return emit(frame, false);
  });
}

bool FrameSlot::prepare(PacketPool& pool, LocalPayloads& payloads) {
  if (payload_ == nullptr && (payload_ = payloads.take()) == nullptr) return false;
  return packet_ != nullptr || (packet_ = pool.take()) != nullptr;
}

std::array<iovec, 2> FrameSlot::pieces(LocalPayloads& payloads) {
  return {{{packet_->data, kLinearMax}, {payloads.memory(*payload_), payloads.bytes()}}};
}

Packet* FrameSlot::finish(std::size_t bytes, const VnetHeader& header, LocalPayloads& payloads) {
  if (bytes < kEthernetHeader || bytes > kLinearMax + payloads.bytes()) return nullptr;
  Packet* const packet = packet_;
  packet->size = static_cast<std::uint32_t>(bytes);
  packet->linear = static_cast<std::uint32_t>(std::min(bytes, kLinearMax));
  if (!apply_vnet_header(header, *packet)) {
    packet_ = nullptr;
    packet->release();
    return nullptr;
  }
  if (bytes > kLinearMax) {
    LocalPayloads::fill(*payload_, payloads.memory(*payload_), static_cast<std::uint32_t>(bytes - kLinearMax));
    packet->payload = payload_;
    payload_ = nullptr;
  }
  packet_ = nullptr;
  return packet;
}

void FrameSlot::give_back_packet() {
  if (packet_ != nullptr) packet_->release();
  packet_ = nullptr;
}

void FrameSlot::reset() {
  give_back_packet();
  if (payload_ != nullptr) payload_->owner->payload_done(*payload_);
  payload_ = nullptr;
}

}  // namespace xvif
