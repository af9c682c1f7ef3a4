#pragma once

#include <cstdint>

namespace xvif::netback {

/// Hash of a frame to guest, for its HASH extra info.
struct RxHash {
  std::uint32_t value = 0;
  std::uint8_t type = 0;  // bit number, xen::ctrl::hash_type
  bool known = false;     // else the frame has none
};

}  // namespace xvif::netback
