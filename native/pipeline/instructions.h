// Instructions of flows, checked once, held once for all flows that have the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actions/iterate.h"
#include "base/schema.gen.h"
#include "pipeline/counters.h"
#include "pipeline/stat_triggers.h"

namespace xvif {

/// Immutable but for `users`; read by every data plane thread.
class InstructionSet {
 public:
  explicit InstructionSet(std::span<const std::uint8_t> bytes);
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;

  std::uint32_t meter = kNoMeter;
  std::uint8_t goto_table = 0;  // 0: end of the pipeline, as no flow goes to table 0
  bool clears = false;
  bool conjunctive = false;
  bool uses_set = false;  // `apply` may meet the action set: in flows that it leads to, at the end of a clone
  std::uint64_t metadata = 0;
  std::uint64_t metadata_mask = 0;
  std::span<const std::uint8_t> apply;
  std::span<const std::uint8_t> write;

  std::span<const std::uint8_t> bytes() const { return bytes_; }
  bool outputs_to(std::uint32_t port) const;
  bool outputs_to_group(std::uint32_t group) const;
  bool uses_meter(std::uint32_t meter) const;

  /// What a learn or sample action needs when it is carried out.
  struct Effect {
    const std::uint8_t* at;                     // the action
    const std::atomic<std::uint64_t>* learned;  // learn with a limit: live flows that count
    CounterId sampled;                          // sample
  };
  std::vector<Effect> effects;  // those within clone included; Effects fills them in
  /// nullptr: the action is not one of these instructions.
  const Effect* effect_of(const ActionView& action) const;

  std::vector<std::uint32_t> groups;  // those it refers to, each once
  std::vector<std::uint32_t> meters;
  StatTrigger trigger;
  /// Somebody else has to know which flows have these instructions.
  bool is_noted() const { return !groups.empty() || !meters.empty() || !effects.empty() || trigger.count > 0; }
  mutable std::uint32_t users = 0;  // control

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Control thread.
class InstructionSets {
 public:
  InstructionSets() = default;
  ~InstructionSets();
  InstructionSets(const InstructionSets&) = delete;
  InstructionSets& operator=(const InstructionSets&) = delete;

  /// Valid instructions; one more user.
  InstructionSet* take(std::span<const std::uint8_t> bytes);
  /// One user less; frees it after the last. No reader may hold it.
  void give_back(const InstructionSet* set);
  std::size_t bytes() const { return bytes_; }

 private:
  /// About what one set costs beside its bytes: itself and its place in the map.
  static constexpr std::size_t kOverhead = sizeof(InstructionSet) + 64;

  std::unordered_map<std::string_view, std::unique_ptr<InstructionSet>> sets_;  // keys lie in the sets
  std::size_t bytes_ = 0;
};

/// What a list of actions refers to outside itself: calls visit(ActionView) for each output, truncated or not, group
/// and meter.
template <typename Visit>
void for_each_reference(std::span<const std::uint8_t> actions, Visit&& visit) {
  for (ActionView action : Actions(actions)) {
    const Action code = action.code();
    if (code == Action::kOutput || code == Action::kOutputTrunc) visit(action);
    if (code == Action::kGroup || code == Action::kMeter) visit(action);
    if (action.code() == Action::kClone) for_each_reference(action.nested(), visit);
  }
}
template <typename Visit>
void for_each_reference(const InstructionSet& set, Visit&& visit) {
  for_each_reference(set.apply, visit);
  for_each_reference(set.write, visit);
}

/// 1..kPortsMax-1 and LOCAL.
bool is_port_number(std::uint32_t port);

}  // namespace xvif
