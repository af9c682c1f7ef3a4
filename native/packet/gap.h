// Room for headers in front of a packet, by moving the headers before them.
#pragma once

#include <cstring>

#include "base/limits.h"
#include "packet/packet.h"

namespace xvif {

/// Inserts `bytes` bytes of no particular value at offset `at` (<= linear). False when the headroom is too small.
/// csum_start, if in use, lies behind `at` and moves along; header offsets are the caller's business.
inline bool open_gap(Packet& packet, std::size_t at, std::uint16_t bytes) {
  if (packet.headroom() < bytes) return false;
  packet.data -= bytes;
  packet.linear += bytes;
  packet.size += bytes;
  if (packet.csum_blank) packet.csum_start = static_cast<std::uint16_t>(packet.csum_start + bytes);
  std::memmove(packet.data, packet.data + bytes, at);
  return true;
}

/// Takes out `bytes` bytes at offset `at`; they are linear.
inline void close_gap(Packet& packet, std::size_t at, std::uint16_t bytes) {
  std::memmove(packet.data + bytes, packet.data, at);
  packet.data += bytes;
  packet.linear -= bytes;
  packet.size -= bytes;
  if (packet.csum_blank) packet.csum_start = static_cast<std::uint16_t>(packet.csum_start - bytes);
}

/// Takes a tag out. A frame that had the shortest length there is on a wire keeps it, padded; with payload elsewhere,
/// or without room behind, it does not.
inline void take_out(Packet& packet, std::size_t at, std::uint16_t bytes) {
  const std::uint32_t before = packet.size;
  close_gap(packet, at, bytes);
  if (before < kFrameMin || packet.size >= kFrameMin || packet.payload != nullptr) return;
  const std::size_t end = static_cast<std::size_t>(packet.data - packet.buffer()) + packet.linear;
  const std::size_t missing = kFrameMin - packet.size;
  if (end + missing > kHeadroom + kLinearMax) return;
  std::memset(packet.data + packet.linear, 0, missing);
  packet.linear += static_cast<std::uint32_t>(missing);
  packet.size = packet.linear;
}

}  // namespace xvif
