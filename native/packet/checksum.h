// Internet checksum (RFC 1071), its incremental update (RFC 1624), and what is left to do on a packet whose sender
// left the L4 checksum to us. All values are plain numbers: stored with store_be16.
#pragma once

#include <cstdint>
#include <span>

#include "packet/flow_key.h"
#include "packet/packet.h"

namespace xvif {

/// One's complement sum of a sequence of byte runs of any length, odd ones included.
class InternetSum {
 public:
  void add(std::span<const std::uint8_t> bytes);
  /// A 16-bit number that is part of the sum, for instance a protocol or a length. Only at an even position.
  void add_number(std::uint16_t value);
  /// Folded to 16 bits, not complemented: what stands in a blank checksum field.
  std::uint16_t folded() const;
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words in memory order; carries fold later
  bool odd_ = false;       // an odd number of bytes was added
};

/// Checksum of `bytes`; 0 when they contain their own right checksum.
std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes);

/// RFC 1624 equation 3: `checksum` after a 16-bit word of what it covers changed.
inline std::uint16_t updated_checksum(std::uint16_t checksum, std::uint16_t from, std::uint16_t to) {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~from);
  sum += to;
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  return static_cast<std::uint16_t>(~sum);
}
inline std::uint16_t updated_checksum(std::uint16_t checksum, std::uint32_t from, std::uint32_t to) {
  checksum = updated_checksum(checksum, static_cast<std::uint16_t>(from >> 16), static_cast<std::uint16_t>(to >> 16));
  return updated_checksum(checksum, static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(to));
}
/// The same for `bytes` bytes (even, at an even position), for instance a 128-bit address.
std::uint16_t updated_checksum(std::uint16_t checksum, const std::uint8_t* from, const std::uint8_t* to,
                               std::size_t bytes);

/// Sum of the pseudo header (RFC 793, RFC 8200 section 8.1) of the IPv4 or IPv6 header at `l3`, folded, not
/// complemented. `length`: L4 header and payload.
std::uint16_t pseudo_header_sum(const std::uint8_t* l3, bool ipv6, std::uint8_t proto, std::uint32_t length);

/// The sender of `packet` left its TCP or UDP checksum blank: sets csum_blank, csum_start and csum_offset, and writes
/// the pseudo-header sum into the field, whatever the sender had put there. False, and csum_blank is cleared, when
/// this is no TCP or UDP packet with all its headers linear. Leaves the header offsets of `packet` as parse() does.
bool setup_checksum(Packet& packet);
/// The same for a packet that parse() has been through.
bool setup_checksum(Packet& packet, const FlowKey& key);

/// Completes the checksum of a frame that lies in one piece: sums from csum_start to the end, the pseudo-header sum
/// in the field included. False when the offsets lie outside the frame.
bool fill_checksum(std::span<std::uint8_t> frame, std::size_t csum_start, std::size_t csum_offset);
/// The same for a packet that is all linear; clears csum_blank.
bool fill_checksum(Packet& packet);

/// True unless a checksum in the frame (IPv4 header, TCP, UDP, ICMP, ICMPv6, SCTP; not of fragments) is wrong.
/// For tests and diagnosis; `frame` must be whole.
bool checksums_right(std::span<const std::uint8_t> frame);

}  // namespace xvif
