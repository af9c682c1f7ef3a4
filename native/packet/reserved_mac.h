#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace xvif {

/// 01:80:c2:00:00:00 to 0f: never forwarded by a bridge (IEEE 802.1D table 7-10). Spanning tree, LACP, 802.1X, LLDP.
inline bool is_reserved_mac(const std::uint8_t* mac) {
  return load_be32(mac) == 0x0180c200 && mac[4] == 0 && (mac[5] & 0xf0) == 0;
}

/// 01:80:c2:00:00:00, which bridges tell each other of the spanning tree by.
inline bool is_spanning_tree_mac(const std::uint8_t* mac) { return is_reserved_mac(mac) && mac[5] == 0; }

}  // namespace xvif
