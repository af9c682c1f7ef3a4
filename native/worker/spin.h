// How long a queue without work is polled before its wake-up is armed.
#pragma once

#include <algorithm>
#include <cstdint>

namespace xvif {

/// At most. A wake-up costs system calls on each side, which take about this long.
inline constexpr std::uint64_t kSpinMaxNs = 20'000;
inline constexpr std::uint64_t kSpinMinNs = 1'000;

/// What a queue that woke up after `slept_ns` has earned: more when polling would have seen the event, less when not.
constexpr std::uint64_t next_spin_ns(std::uint64_t spin_ns, std::uint64_t slept_ns) {
  if (slept_ns >= kSpinMaxNs) return spin_ns / 2;
  return std::clamp(spin_ns * 2, kSpinMinNs, kSpinMaxNs);
}

}  // namespace xvif
