// When flows with timeouts have to be looked at. A heap of moments, one per flow: an idle flow's moment is put off
// only when it comes, so traffic costs nothing here.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "pipeline/flow.h"

namespace xvif {

class Expiry {
 public:
  using Visit = std::function<void(std::uint8_t table, std::uint32_t slot)>;
  /// Whether the flow in this slot of this table has the timer `serial`.
  using Valid = std::function<bool(std::uint8_t table, std::uint32_t slot, std::uint32_t serial)>;

  /// The flow is due at `at_ns` at the earliest. Replaces what was armed before; sets flow.timer.
  void arm(Flow& flow, std::uint64_t at_ns);
  /// The flow is gone; its entry goes when it comes up, or when too many are stale.
  void disarm(Flow& flow);
  /// All flows of a table are gone, as by disarm(); returns how many were armed. They keep their timers.
  std::size_t disarm_all(std::uint8_t table);
  /// Takes back the last disarm_all() of this table, which returned `armed`; none of its flows is armed now.
  void undo_disarm_all(std::uint8_t table, std::size_t armed);
  /// Takes out entries whose moment has come, `limit` at most, and visits those that are valid. The visitor disarms the
  /// flow, and may arm it again. Then looks at `limit` entries at most to drop those that are stale.
  void take(std::uint64_t now_ns, std::size_t limit, const Visit& due, const Valid& valid);
  /// More entries are stale than should be: take() makes room.
  bool crowded() const;
  std::uint64_t next_ns() const { return std::min(first_of(heap_), first_of(kept_)); }
  std::size_t entries() const { return heap_.size() + kept_.size(); }

 private:
  struct Entry {
    std::uint64_t at_ns;
    std::uint32_t slot;
    std::uint32_t serial;
    std::uint8_t table;
  };
  using Heap = std::vector<Entry>;
  static bool later(const Entry& a, const Entry& b) { return a.at_ns > b.at_ns; }
  static std::uint64_t first_of(const Heap& heap) { return heap.empty() ? ~std::uint64_t{0} : heap.front().at_ns; }
  static void push(Heap& heap, const Entry& entry);
  /// Goes on moving what is valid from heap_ to kept_.
  void compact(std::size_t limit, const Valid& valid);

  Heap heap_;
  Heap kept_;  // what takes its place, while it is compacted
  bool is_compacting_ = false;
  std::array<std::size_t, kTables> armed_{};
  std::size_t stale_ = 0;
  std::uint32_t serial_ = 0;
};

}  // namespace xvif
