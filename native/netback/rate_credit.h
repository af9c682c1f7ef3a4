// The toolstack's limit of what a guest sends (`rate`), in the terms of Linux' netback: so many bytes of credit per
// interval, saved up to a burst. One for the whole vif, where Linux has one per queue: a guest must not raise its
// limit by asking for more queues.
//
// A frame goes while there is any credit at all and may leave a debt, so that a queue with large frames is not starved
// by one with small frames, and a limit below the size of a frame still lets frames through at the rate asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "netback/spin_lock.h"
#include "port/settings.h"

namespace xvif::netback {

/// Credit saved at least: a jumbo packet must get through in one piece (Linux: 128 KiB).
inline constexpr std::uint64_t kRateBurstMin = 131072;

class RateCredit {
 public:
  /// Control thread. nullopt: no limit. An equal limit changes nothing, so that credit cannot be had by repeating it.
  void configure(const std::optional<RateLimit>& limit, std::uint64_t now_ns);

  // Workers.
  bool limited() const { return limited_.load(std::memory_order_acquire); }
  /// Counts the changes of the limit.
  std::uint32_t changes() const { return changes_.load(std::memory_order_acquire); }
  /// 0: the frame may go, and is paid for. Else the time (ns of now_ns()) when there will be credit.
  std::uint64_t take(std::uint32_t bytes, std::uint64_t now_ns);

 private:
  std::atomic<bool> limited_{false};       // control: wo, workers: ro
  std::atomic<std::uint32_t> changes_{0};  // control: wo, workers: ro
  SpinLock lock_;                          // guards what follows
  std::optional<RateLimit> limit_;
  std::int64_t credit_ = 0;  // bytes; below 0: debt
  std::int64_t burst_ = 0;
  std::uint64_t counted_ns_ = 0;  // credit was given for the intervals before
};

}  // namespace xvif::netback
