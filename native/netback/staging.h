// Staging grants: pages of a queue's buffers that the frontend had us map for good (netif.h, control requests 8 to 10),
// so that slots which name them are served by memcpy instead of a grant copy. docs: xen/docs/misc/netif-staging-grants.
//
// Threads: the control ring's thread adds and removes. Looking up is for whoever holds the lock of its side; pages
// found may be used until the lock is given back, or as long as they are pinned.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "netback/spin_lock.h"

namespace xvif::netback {

/// Pages of one queue: both rings with all their slots. Each takes an entry of the hypervisor's maptrack table.
inline constexpr std::size_t kStagedPagesMax = 512;

struct StagedPage {
  GrantRef ref;
  bool readonly;
  std::uint8_t* memory;
  std::size_t index = 0;  // in its table; the control ring's thread
  /// Frames from guest under way whose payload lies here. The worker of the queue: wo; control ring's: ro.
  std::atomic<std::uint32_t> pins{0};

  void pin() { pins.store(pins.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void unpin() { pins.store(pins.load(std::memory_order_relaxed) - 1, std::memory_order_release); }
  bool pinned() const { return pins.load(std::memory_order_acquire) != 0; }
};
using StagedPages = std::vector<std::unique_ptr<StagedPage>>;

class StagingTable {
 public:
  StagingTable();
  StagingTable(const StagingTable&) = delete;
  StagingTable& operator=(const StagingTable&) = delete;

  // The two directions of the queue, each holding its lock.
  SpinLock& tx_lock() { return tx_lock_; }
  SpinLock& rx_lock() { return rx_lock_; }
  /// nullptr: not staged.
  StagedPage* find(GrantRef ref) const { return slots_.empty() ? nullptr : slots_[place(ref)].page; }
  /// Any thread: false spares the lock.
  bool used() const { return used_.load(std::memory_order_relaxed); }

  // Control ring's thread.
  std::size_t size() const { return pages_.size(); }
  bool contains(GrantRef ref) const { return find(ref) != nullptr; }
  /// None of them is contained; size() stays within kStagedPagesMax.
  void add(StagedPages pages);
  /// Nobody finds the pages any more after this; they may still be pinned. References that are not contained, a
  /// second time too, give nullptr.
  StagedPages remove(std::span<const GrantRef> refs);
  StagedPages remove_all();

 private:
  struct Slot {
    GrantRef ref{0};
    StagedPage* page = nullptr;
  };
  static constexpr unsigned kSlotBits = 11;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
  static_assert(kSlots >= 4 * kStagedPagesMax);
  std::size_t place(GrantRef ref) const;
  void erase(std::size_t hole);

  const std::uint64_t secret_;  // guests choose references: they must not know which collide
  SpinLock tx_lock_, rx_lock_;
  std::vector<Slot> slots_;  // open addressing. Holder of both locks: rw; of one, and control ring's thread: ro
  StagedPages pages_;        // control ring's thread
  std::atomic<bool> used_{false};
};

}  // namespace xvif::netback
