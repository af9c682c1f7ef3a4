// When flows with timeouts have to be looked at. A heap of moments, one per flow: an idle flow's moment is put off
// only when it comes, so traffic costs nothing here.
#pragma once

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
  /// flow, and may arm it again.
  void take(std::uint64_t now_ns, std::size_t limit, const Visit& due, const Valid& valid);
  /// More entries are stale than should be: take() makes room.
  bool crowded() const;
  std::uint64_t next_ns() const { return heap_.empty() ? ~std::uint64_t{0} : heap_.front().at_ns; }
  std::size_t entries() const { return heap_.size(); }

 private:
  struct Entry {
    std::uint64_t at_ns;
    std::uint32_t slot;
    std::uint32_t serial;
    std::uint8_t table;
  };
  static bool later(const Entry& a, const Entry& b) { return a.at_ns > b.at_ns; }

  std::vector<Entry> heap_;
  std::array<std::size_t, kTables> armed_{};
  std::size_t stale_ = 0;
  std::uint32_t serial_ = 0;
};

}  // namespace xvif
