// How many packets go up to each of the daemon's own agents (LocalAgent), so that no guest keeps the control thread
// busy, and what one agent is sent keeps nothing from another.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/limits.h"

namespace xvif {

/// Packets of all threads in the current second.
class PacketRate {
 public:
  /// Counts one more, unless there are `most` in this second. A thread whose clock is behind goes by the later second.
  bool pass(std::uint64_t now_ns, std::uint32_t most) {
    const auto now = static_cast<std::uint32_t>(now_ns / 1'000'000'000);
    std::uint64_t before = state_.load(std::memory_order_relaxed);
    for (;;) {
      const auto second = static_cast<std::uint32_t>(before >> 32);
      const bool over = static_cast<std::int32_t>(now - second) > 0;
      const std::uint32_t packets = over ? 0 : static_cast<std::uint32_t>(before);
      if (packets >= most) return false;
      const std::uint64_t after = std::uint64_t{over ? now : second} << 32 | (packets + 1);
      if (state_.compare_exchange_weak(before, after, std::memory_order_relaxed)) return true;
    }
  }

 private:
  std::atomic<std::uint64_t> state_{0};  // the second, and how many packets it had
};

/// By agent, from the first on.
using LocalRates = std::array<PacketRate, kLocalBudgets.size()>;
using LocalDrops = std::array<std::atomic<std::uint64_t>, kLocalBudgets.size()>;

}  // namespace xvif
