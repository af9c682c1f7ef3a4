// Network Service Header (RFC 8300 section 2): base header of 4 bytes, service path header of 4 bytes, context headers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "packet/headers.h"

namespace xvif::nsh {

/// Base and service path header.
inline constexpr std::uint16_t kHeadBytes = 8;
/// With the context header that MD type 1 has.
inline constexpr std::uint16_t kType1Bytes = 24;
inline constexpr std::size_t kMdTypeAt = 2;  // in the lower four bits
inline constexpr std::size_t kNextAt = 3;
inline constexpr std::size_t kPathAt = 4;  // service path identifier 24 bits, service index 8 bits
inline constexpr std::size_t kIndexAt = 7;
inline constexpr std::size_t kContextAt = 8;

/// The first 16 bits: version 2, O bit and an unassigned one (the flags), TTL 6, length in words of 4 bytes 6.
inline constexpr unsigned kFlagsShift = 12;
inline constexpr unsigned kFlagsBits = 3;
inline constexpr unsigned kTtlShift = 6;
inline constexpr unsigned kTtlBits = 63;
inline constexpr std::uint8_t kTtlMax = 63;
inline constexpr std::uint8_t kIndexMax = 255;

inline constexpr std::uint8_t kMdType1 = 1;
inline constexpr std::uint8_t kMdType2 = 2;

/// Next protocols (section 2.2).
inline constexpr std::uint8_t kNextIpv4 = 1;
inline constexpr std::uint8_t kNextIpv6 = 2;
inline constexpr std::uint8_t kNextEthernet = 3;
inline constexpr std::uint8_t kNextNsh = 4;

/// Bytes of the header at offset `at`; 0: it is cut at `end`, of another version, or of a length that its MD type
/// cannot have.
inline std::uint16_t header_bytes(const std::uint8_t* frame, std::size_t at, std::size_t end) {
  if (at + kHeadBytes > end) return 0;
  const std::uint16_t first = load_be16(frame + at);
  const auto bytes = static_cast<std::uint16_t>((first & 63u) * 4u);
  if (first >> 14 != 0 || bytes < kHeadBytes || at + bytes > end) return 0;
  const bool type1 = (frame[at + kMdTypeAt] & 15) == kMdType1;
  return type1 && bytes != kType1Bytes ? std::uint16_t{0} : bytes;
}

/// The ethertype of a next protocol that is no frame; 0: none that is known.
inline std::uint16_t ethertype_of(std::uint8_t next) {
  switch (next) {
    case kNextIpv4:
      return ethertype::kIpv4;
    case kNextIpv6:
      return ethertype::kIpv6;
    case kNextNsh:
      return ethertype::kNsh;
    default:
      return 0;
  }
}

/// The next protocol for what has this ethertype and no Ethernet header; 0: there is none.
inline std::uint8_t next_of(std::uint16_t type) {
  for (const std::uint8_t next : {kNextIpv4, kNextIpv6, kNextNsh}) {
    if (ethertype_of(next) == type) return next;
  }
  return 0;
}

}  // namespace xvif::nsh
