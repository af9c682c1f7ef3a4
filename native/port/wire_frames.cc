#include "port/wire_frames.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/segment.h"

namespace xvif {

WireFrames::WireFrames(std::span<Linearizer* const> linearizers) {
  XVIF_ASSERT(linearizers.size() <= linearizers_.size());
  std::copy(linearizers.begin(), linearizers.end(), linearizers_.begin());
}

WireFrames::Scratch& WireFrames::scratch(std::size_t thread) {
  auto& mine = scratch_[thread];
  if (!mine) mine.reset(new Scratch);
  return *mine;
}

std::span<std::uint8_t> WireFrames::contiguous(std::size_t thread, Packet& packet) {
  const std::uint8_t* const end = reinterpret_cast<std::uint8_t*>(&packet) + Packet::kBytes;
  if (packet.payload == nullptr && packet.data + kFrameMin <= end) return {packet.data, packet.linear};
  if (packet.size > kFrameMax) return {};
  const std::span<std::uint8_t> whole(scratch(thread).frame.data(), packet.size);
  if (packet.read(0, whole)) return whole;
  Linearizer* const linearizer = linearizers_[thread];
  if (linearizer == nullptr || !linearizer->copy_out(packet, whole)) return {};
  return whole;
}

Drop WireFrames::each(std::size_t thread, Packet& packet, const Emit& emit) {
  const std::span<std::uint8_t> whole = contiguous(thread, packet);
  if (whole.empty()) return Drop::kCopyFailed;
  if (packet.gso != Gso::kNone) return each_segment(scratch(thread), whole, packet, emit);
  if (packet.csum_blank) {
    if (!fill_checksum(whole, packet.csum_start, packet.csum_offset)) return Drop::kMalformed;
    if (whole.data() == packet.data) packet.csum_blank = false;
  }
  if (whole.size() >= kFrameMin) return emit(whole);
  std::memset(whole.data() + whole.size(), 0, kFrameMin - whole.size());
  return emit({whole.data(), kFrameMin});
}

Drop WireFrames::each_segment(Scratch& scratch, std::span<const std::uint8_t> frame, const Packet& packet,
                              const Emit& emit) {
  auto segmenter = Segmenter::make(frame, packet.gso, packet.gso_size, SegmentChecksum::kComplete);
  if (!segmenter) return Drop::kMalformed;
  while (const auto piece = segmenter->next()) {
    std::uint8_t* const to = scratch.segment.data();
    std::memcpy(to, piece->headers.data(), piece->headers.size());
    std::memcpy(to + piece->headers.size(), piece->payload.data(), piece->payload.size());
    std::size_t bytes = piece->headers.size() + piece->payload.size();
    for (; bytes < kFrameMin; ++bytes) to[bytes] = 0;
    if (Drop reason = emit({to, bytes}); reason != Drop::kNone) return reason;
  }
  return Drop::kNone;
}

}  // namespace xvif
