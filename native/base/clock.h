#pragma once

#include <time.h>

#include <cstdint>

namespace xvif {

/// Nanoseconds of CLOCK_MONOTONIC.
inline std::uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace xvif
