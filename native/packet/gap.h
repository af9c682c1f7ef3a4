// Room for headers in front of a packet, by moving the headers before them.
#pragma once

#include <cstring>

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

}  // namespace xvif
