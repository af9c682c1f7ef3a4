#include "pipeline/instructions.h"

#include <algorithm>

#include "actions/validate_nicira.h"
#include "base/assert.h"

namespace xvif {

namespace {

bool has(const std::vector<std::uint32_t>& ids, std::uint32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}
void add(std::vector<std::uint32_t>& ids, std::uint32_t id) {
  if (!has(ids, id)) ids.push_back(id);
}

StatTrigger trigger_of(const InstructionView& instruction) {
  StatTrigger trigger;
  trigger.flags = instruction.trigger_flags();
  trigger.count = static_cast<std::uint8_t>(instruction.thresholds());
  for (std::size_t i = 0; i < trigger.count; ++i) {
    trigger.stats[i] = instruction.threshold_stat(i);
    trigger.values[i] = instruction.threshold_value(i);
  }
  return trigger;
}

bool is_output(Action code) { return code == Action::kOutput || code == Action::kOutputTrunc; }

bool touches_set(std::span<const std::uint8_t> actions) {
  for (const ActionView action : Actions(actions)) {
    if (action.code() == Action::kResubmit || action.code() == Action::kClone) return true;
  }
  return false;
}

void find_effects(std::span<const std::uint8_t> actions, std::vector<InstructionSet::Effect>& found) {
  for (const ActionView action : Actions(actions)) {
    if (action.code() == Action::kClone) find_effects(action.nested(), found);
    if (action.code() != Action::kLearn && action.code() != Action::kSample) continue;
    found.push_back({action.at(), nullptr, kNoCounter});
  }
}

}  // namespace

InstructionSet::InstructionSet(std::span<const std::uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {
  for (InstructionView instruction : Instructions(bytes_)) {
    switch (instruction.code()) {
      case Instruction::kMeter:
        meter = instruction.meter();
        break;
      case Instruction::kApplyActions:
        apply = instruction.actions();
        break;
      case Instruction::kClearActions:
        clears = true;
        break;
      case Instruction::kWriteActions:
        write = instruction.actions();
        break;
      case Instruction::kWriteMetadata:
        metadata = instruction.metadata();
        metadata_mask = instruction.metadata_mask();
        break;
      case Instruction::kGotoTable:
        goto_table = instruction.table();
        break;
      case Instruction::kStatTrigger:
        trigger = trigger_of(instruction);
        break;
    }
  }
  uses_set = touches_set(apply);
  conjunctive = is_conjunctive(apply);
  if (meter != kNoMeter) meters.push_back(meter);
  find_effects(apply, effects);
  for_each_reference(*this, [&](ActionView action) {
    if (action.code() == Action::kGroup) add(groups, action.group());
    if (action.code() == Action::kMeter) add(meters, action.meter());
  });
}

bool InstructionSet::outputs_to(std::uint32_t port) const {
  bool found = false;
  for_each_reference(*this,
                     [&](ActionView action) { found |= is_output(action.code()) && raw(action.port()) == port; });
  return found;
}

const InstructionSet::Effect* InstructionSet::effect_of(const ActionView& action) const {
  // They stand in the order of their addresses.
  const auto found = std::ranges::lower_bound(effects, action.at(), {}, &Effect::at);
  return found != effects.end() && found->at == action.at() ? &*found : nullptr;
}

bool InstructionSet::outputs_to_group(std::uint32_t group) const { return has(groups, group); }

bool InstructionSet::uses_meter(std::uint32_t id) const { return has(meters, id); }

InstructionSets::~InstructionSets() = default;

InstructionSet* InstructionSets::take(std::span<const std::uint8_t> bytes) {
  const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto at = sets_.find(key);
  if (at == sets_.end()) {
    auto set = std::make_unique<InstructionSet>(bytes);
    const std::string_view own(reinterpret_cast<const char*>(set->bytes().data()), set->bytes().size());
    bytes_ += kOverhead + own.size();
    at = sets_.emplace(own, std::move(set)).first;
  }
  ++at->second->users;
  return at->second.get();
}

void InstructionSets::give_back(const InstructionSet* set) {
  if (--set->users > 0) return;
  const auto at = sets_.find(std::string_view(reinterpret_cast<const char*>(set->bytes().data()), set->bytes().size()));
  XVIF_ASSERT(at != sets_.end() && at->second.get() == set);
  bytes_ -= kOverhead + set->bytes().size();
  // The key lies in the set: the node must go before it.
  const auto node = sets_.extract(at);
}

bool is_port_number(std::uint32_t port) {
  return (port >= 1 && port < kPortsMax) || port == static_cast<std::uint32_t>(ReservedPort::kLocal);
}

}  // namespace xvif
