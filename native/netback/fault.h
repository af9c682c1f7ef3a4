#pragma once

#include <cstdint>

namespace xvif::netback {

/// Why a frontend lost its port.
enum class VifFault : std::uint8_t {
  kNone,
  kRequestsBeyondRing,  // req_prod jumped
  kTooManySlots,
  kUnfinishedPacket,  // more data or extra info announced, none posted
  kBadExtra,
  kBadGso,
  kCrossesPage,
};
const char* to_string(VifFault fault);

}  // namespace xvif::netback
