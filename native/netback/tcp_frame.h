// For tests: TCP and UDP frames with headers as a kernel makes them.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "packet/checksum.h"

namespace xvif::netback {

/// A frame of Ethernet, IPv4 or IPv6, TCP (ACK, no options) or UDP, with `payload` patterned bytes. The L4 checksum
/// holds the pseudo-header sum when `blank`, else it is right.
inline std::vector<std::uint8_t> l4_frame(bool v6, bool tcp, std::size_t payload, bool blank,
                                          std::uint16_t source_port = 1000) {
  const std::size_t l3 = 14, l4 = l3 + (v6 ? 40 : 20), header = tcp ? 20 : 8;
  std::vector<std::uint8_t> frame(l4 + header + payload);
  frame[0] = frame[6] = 2;
  frame[5] = 1;
  frame[11] = 2;
  store_be16(&frame[12], v6 ? 0x86dd : 0x0800);
  if (v6) {
    frame[l3] = 0x60;
    store_be16(&frame[l3 + 4], static_cast<std::uint16_t>(header + payload));
    frame[l3 + 6] = tcp ? 6 : 17;
    frame[l3 + 7] = 64;
    frame[l3 + 8] = frame[l3 + 24] = 0xfd;
    frame[l3 + 23] = 1;
    frame[l3 + 39] = 2;
  } else {
    frame[l3] = 0x45;
    store_be16(&frame[l3 + 2], static_cast<std::uint16_t>(20 + header + payload));
    frame[l3 + 8] = 64;
    frame[l3 + 9] = tcp ? 6 : 17;
    store_be32(&frame[l3 + 12], 0x0a000001);
    store_be32(&frame[l3 + 16], 0x0a000002);
    store_be16(&frame[l3 + 10], internet_checksum({&frame[l3], 20}));
  }
  store_be16(&frame[l4], source_port);
  store_be16(&frame[l4 + 2], 80);
  if (tcp) {
    frame[l4 + 12] = 0x50;
    frame[l4 + 13] = 0x10;
  } else {
    store_be16(&frame[l4 + 4], static_cast<std::uint16_t>(8 + payload));
  }
  for (std::size_t i = 0; i < payload; ++i) frame[l4 + header + i] = static_cast<std::uint8_t>(i * 13 + i / 256);
  const auto field = l4 + (tcp ? 16u : 6u);
  store_be16(&frame[field],
             pseudo_header_sum(&frame[l3], v6, tcp ? 6 : 17, static_cast<std::uint32_t>(header + payload)));
  if (!blank) fill_checksum(frame, l4, field - l4);
  return frame;
}

}  // namespace xvif::netback
