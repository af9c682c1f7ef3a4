// Multicast addresses that a guest asked for with extra infos (io/netif.h, feature-multicast-control). The list is
// kept whether or not the guest wants it applied, as the protocol demands; whoever asks for an address twice has it
// twice (Linux).
//
// Threads: add and remove by the workers that poll the vif's queues, has by any data plane thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "netback/spin_lock.h"

namespace xvif::netback {

/// XEN_NETBK_MCAST_MAX of Linux.
inline constexpr std::size_t kMulticastMax = 64;

class MulticastFilter {
 public:
  using Address = std::array<std::uint8_t, 6>;

  /// False when the list is full.
  bool add(const Address& address) { return replace(kFree, word(address)); }
  /// Unknown addresses are ignored.
  void remove(const Address& address) { replace(word(address), kFree); }
  bool has(std::span<const std::uint8_t, 6> address) const {
    const std::uint64_t wanted = word(address);
    for (const auto& entry : entries_) {
      if (entry.load(std::memory_order_relaxed) == wanted) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint64_t kFree = 0;
  static std::uint64_t word(std::span<const std::uint8_t, 6> address) {
    std::uint64_t value = 1;  // no address looks like kFree
    for (const std::uint8_t byte : address) value = value << 8 | byte;
    return value;
  }
  bool replace(std::uint64_t from, std::uint64_t to) {
    std::lock_guard lock(writers_);
    for (auto& entry : entries_) {
      if (entry.load(std::memory_order_relaxed) != from) continue;
      entry.store(to, std::memory_order_relaxed);
      return true;
    }
    return false;
  }

  SpinLock writers_;
  std::array<std::atomic<std::uint64_t>, kMulticastMax> entries_{};
};

}  // namespace xvif::netback
