// CRC32c (RFC 3309, RFC 9260 appendix A) of SCTP packets. In the packet it is stored least significant byte first.
#pragma once

#include <cstdint>
#include <span>

namespace xvif {

/// CRC32c of `bytes`, continuing `crc` (0 to begin).
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes);

/// What to xor to the CRC32c of a message when four of its bytes change by `difference` (first byte least
/// significant), `after` bytes before its end. CRC is linear, so the rest of the message need not be looked at.
std::uint32_t crc32c_change(std::uint32_t difference, std::size_t after);

}  // namespace xvif
