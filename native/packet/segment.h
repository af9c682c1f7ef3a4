// Software TCP segmentation, for ports whose other side takes no segmentation offload.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "packet/packet.h"

namespace xvif {

/// One frame out of a large one. `headers` lies in the Segmenter and is overwritten by the next next().
struct SegmentedFrame {
  std::span<const std::uint8_t> headers;
  std::span<const std::uint8_t> payload;
};

enum class SegmentChecksum : std::uint8_t {
  kComplete,
  kBlank,  // the pseudo-header sum of each segment, for a peer that completes it
};

/// Cuts a large TCP frame in pieces of at most `mss` payload bytes. The IPv4 identification and the TCP sequence
/// number advance, lengths and the IPv4 header checksum are made new; FIN and PSH stand on the last piece only, CWR on
/// the first only (RFC 3168 section 6.1.2). Keeps views of `frame`, which must outlive it.
class Segmenter {
 public:
  /// nullopt unless `frame` is a whole Ethernet frame of unfragmented TCP over IPv4 or IPv6 (`gso` says which; any
  /// VLAN tags and extension headers before), with payload, giving at most kGsoFramesMax pieces.
  static std::optional<Segmenter> make(std::span<const std::uint8_t> frame, Gso gso, std::uint16_t mss,
                                       SegmentChecksum checksum);
  /// The next piece; nullopt after the last.
  std::optional<SegmentedFrame> next();

  std::size_t count() const { return (payload_.size() + mss_ - 1) / mss_; }
  std::uint16_t csum_start() const { return l4_; }
  static constexpr std::uint16_t kCsumOffset = 16;

 private:
  Segmenter() = default;
  void write_ip_length(std::size_t payload_bytes);
  void write_tcp(std::span<const std::uint8_t> piece, bool first, bool last);

  /// Ethernet, eight VLAN tags, IPv4 or IPv6 with extension headers, and TCP with options, at most.
  static constexpr std::size_t kHeadersMax = 512;
  std::array<std::uint8_t, kHeadersMax> headers_;
  std::span<const std::uint8_t> payload_;
  std::size_t headers_bytes_ = 0;
  std::size_t done_ = 0;  // payload bytes handed out
  std::uint16_t l3_ = 0;
  std::uint16_t l4_ = 0;
  std::uint16_t mss_ = 1;
  std::uint16_t identification_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint8_t flags_ = 0;
  bool ipv6_ = false;
  SegmentChecksum checksum_ = SegmentChecksum::kComplete;
};

}  // namespace xvif
