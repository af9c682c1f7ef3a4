// How many packets go up to each of the daemon's own agents (LocalAgent), so that no guest keeps the control thread
// busy, and what one agent is sent keeps nothing from another.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/limits.h"

namespace xvif {

/// Packets of all threads in the current second.
class PacketRate {
 public:
  /// Counts one more and says how many there were before it; none where there are `most` in this second. A thread whose
  /// clock is behind goes by the later second.
  std::optional<std::uint32_t> count(std::uint64_t now_ns, std::uint32_t most) {
    const auto now = static_cast<std::uint32_t>(now_ns / 1'000'000'000);
    std::uint64_t before = state_.load(std::memory_order_relaxed);
    for (;;) {
      const auto second = static_cast<std::uint32_t>(before >> 32);
      const bool over = static_cast<std::int32_t>(now - second) > 0;
      const std::uint32_t packets = over ? 0 : static_cast<std::uint32_t>(before);
      if (packets >= most) return std::nullopt;
      const std::uint64_t after = std::uint64_t{over ? now : second} << 32 | (packets + 1);
      if (state_.compare_exchange_weak(before, after, std::memory_order_relaxed)) return packets;
    }
  }

 private:
  std::atomic<std::uint64_t> state_{0};  // the second, and how many packets it had
};

/// By agent, from the first on.
using LocalRates = std::array<PacketRate, kLocalBudgets.size()>;

/// What goes up to one agent in a second: one half of what all may have is divided among the ports, so that others
/// cannot take what a port is assured of; who needs more has it from the other half, as long as there is some.
class LocalShares {
 public:
  /// `ports`: 1 or more.
  constexpr LocalShares(std::uint32_t all, std::size_t ports)
      : common_(all / 2), assured_(std::max(1u, common_ / static_cast<std::uint32_t>(ports))) {}

  constexpr std::uint32_t common() const { return common_; }
  /// Of each port.
  constexpr std::uint32_t assured() const { return assured_; }

 private:
  std::uint32_t common_;
  std::uint32_t assured_;
};

}  // namespace xvif
