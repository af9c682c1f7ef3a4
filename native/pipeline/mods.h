// What the control side can ask for, decoded. Spans are borrowed for the call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/schema.gen.h"
#include "packet/flow_key.h"
#include "pipeline/selection.h"

namespace xvif {

inline constexpr std::uint32_t kGroupAll = 0xfffffffc;
inline constexpr std::uint32_t kGroupAny = 0xffffffff;
/// Largest id of a group that can be made.
inline constexpr std::uint32_t kGroupIdMax = 0xffffff00;
inline constexpr std::uint32_t kMeterAll = 0xffffffff;
inline constexpr std::uint32_t kMeterIdMax = 0xffff0000;

/// OpenFlow 1.3.5 section 6.4 and A.3.4.1. `value` has no bit outside `mask`.
struct FlowMod {
  FlowCommand command = FlowCommand::kAdd;
  std::uint8_t table = 0;  // kAllTables: all, for deletes
  std::uint64_t cookie = 0;
  std::uint64_t cookie_mask = 0;
  std::uint16_t priority = 0;
  std::uint16_t flags = 0;         // FlowFlag
  std::uint16_t idle_timeout = 0;  // s, 0: none
  std::uint16_t hard_timeout = 0;  // s, 0: none
  std::uint16_t importance = 0;    // in a table that evicts
  std::uint32_t out_port = static_cast<std::uint32_t>(ReservedPort::kAny);
  std::uint32_t out_group = kGroupAny;
  FlowKey value{};
  FlowKey mask{};
  std::span<const std::uint8_t> instructions;  // not yet validated
};

/// What controllers and operators set of a table (OpenFlow 1.1.0 section A.3.3, 1.4.1 section 7.3.3).
struct TableConfig {
  std::uint32_t max_entries = kFlowsPerTableMax;
  TableMiss miss = TableMiss::kDefault;
  std::uint8_t eviction = 0;  // EvictionFlag; 0: a full table takes no more flows
  FlowKey groups{};           // bits by whose values flows form groups: of the largest one has to go
};

struct BucketMod {
  std::uint32_t id = 0;      // 0..kBucketIdMax, of its own in the group
  std::uint16_t weight = 0;  // select: share; 0: never chosen. Else of no meaning
  std::uint32_t watch_port = static_cast<std::uint32_t>(ReservedPort::kAny);
  std::uint32_t watch_group = kGroupAny;
  std::span<const std::uint8_t> actions;  // not yet validated
};
struct GroupMod {
  ModCommand command = ModCommand::kAdd;
  std::uint8_t type = 0;  // GroupType, not yet validated
  std::uint32_t group = 0;
  std::vector<BucketMod> buckets;
  std::uint32_t place = kAllBuckets;  // insert_bucket: after which; remove_bucket: which. Or first, last, all
  Selection selection{};              // of a select group; an edit leaves it as it was
};

struct BandMod {
  std::uint16_t type = 0;        // MeterBandType, not yet validated
  std::uint16_t prec_level = 0;  // dscp_remark: levels of drop precedence to add
  std::uint32_t rate = 0;        // kbit/s or packets/s
  std::uint32_t burst = 0;       // kbit or packets, when MeterFlag::kBurst is set
};
struct MeterMod {
  ModCommand command = ModCommand::kAdd;
  std::uint32_t meter = 0;
  std::uint16_t flags = 0;  // MeterFlag
  std::vector<BandMod> bands;
};

}  // namespace xvif
