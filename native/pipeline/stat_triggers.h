// Flows that ask to be told about when their statistics pass thresholds (OpenFlow 1.5.1 section 7.2.5,
// OFPIT_STAT_TRIGGER). Thresholds are looked at from time to time, not with each packet: what passed since the last
// look is told once. Control thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "base/schema.gen.h"

namespace xvif {

struct Flow;

inline constexpr std::size_t kTriggerThresholds = 4;  // one for each Stat

/// Of one flow; times in ns.
struct FlowStatistics {
  std::uint64_t duration, idle, packets, bytes;

  std::uint64_t of(Stat stat) const;
};

/// The stat_trigger instruction. `values` are not 0, and each of `stats` is there once.
struct StatTrigger {
  std::uint8_t flags = 0;  // StatTriggerFlag
  std::uint8_t count = 0;
  std::array<Stat, kTriggerThresholds> stats{};
  std::array<std::uint64_t, kTriggerThresholds> values{};
};

class StatTriggers {
 public:
  bool full() const { return watches_.size() >= kTriggeredFlowsMax; }
  bool empty() const { return watches_.empty(); }
  bool watches(const Flow& flow) const { return places_.contains(&flow); }
  /// A flow with a trigger. What its statistics have passed already is not told. One that was removed since settle()
  /// goes on as if it had stayed.
  void add(const Flow& flow, const FlowStatistics& now);
  /// Nothing happens when it is not there.
  void remove(const Flow& flow);
  /// What was removed does not come back.
  void settle() { removed_.clear(); }
  /// Calls told(flow) for those that passed a threshold since they were looked at last. Of many, some are left for the
  /// next time.
  void look(const std::function<FlowStatistics(const Flow&)>& statistics, const std::function<void(const Flow&)>& told);

 private:
  struct Watch {
    const Flow* flow;
    std::array<std::uint64_t, kTriggerThresholds> next;  // what is told about when it is reached
    std::uint64_t idle;                                  // at the last look
    bool done;
  };
  static bool passes(Watch& watch, const StatTrigger& trigger, const FlowStatistics& now);

  std::vector<Watch> watches_;
  std::unordered_map<const Flow*, std::size_t> places_;  // in watches_
  std::unordered_map<const Flow*, Watch> removed_;       // since settle(); a rollback may bring them back
  std::size_t turn_ = 0;                                 // who is looked at first
};

}  // namespace xvif
