#include "actions/validate.h"

#include <algorithm>

#include "actions/iterate.h"
#include "actions/validate_nicira.h"
#include "packet/flow_key.h"
#include "packet/headers.h"

namespace xvif {

namespace {

constexpr std::size_t kRecordUnit = kActionUnit;
constexpr auto zeros = all_zero;
constexpr auto shape = action_shape;

/// The record at the start of `bytes`; empty when it is malformed.
std::span<const std::uint8_t> first_record(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kRecordUnit || bytes[1] != 0) return {};
  const std::size_t length = load_host<std::uint16_t>(bytes.data() + 2);
  if (length < kRecordUnit || length % kRecordUnit != 0 || length > bytes.size()) return {};
  return bytes.first(length);
}

Status validate_set_field(std::span<const std::uint8_t> record) {
  constexpr std::size_t kValueAt = 8;
  const std::size_t number = record[4];
  const std::size_t width = record[5];
  if (number >= kFields || !kFieldPlaces[number].settable || width != field_bytes(Field{record[4]})) {
    return Status::kBadField;
  }
  const std::size_t length = (kValueAt + width + kRecordUnit - 1) / kRecordUnit * kRecordUnit;
  if (record[6] != 0 || record[7] != 0) return Status::kMalformed;
  if (Status s = shape(record, length, kValueAt + width); s != Status::kOk) return s;
  // The first byte holds the bits that are left over.
  const unsigned top_bits = kFieldPlaces[number].bits % 8;
  if (top_bits != 0 && record[kValueAt] >> top_bits != 0) return Status::kBadAction;
  return Status::kOk;
}

Status validate_action(std::span<const std::uint8_t> record, unsigned nesting) {
  const ActionView action(record.data());
  switch (action.code()) {
    case Action::kOutput:
      return shape(record, 16, 10);
    case Action::kGroup:
    case Action::kSetQueue:
      return shape(record, 16, 8);
    case Action::kPushVlan:
      if (!ethertype::is_vlan(action.ethertype())) return Status::kBadAction;
      if (record[6] > 1) return Status::kMalformed;
      return shape(record, 8, 7);
    case Action::kPushMpls:
      if (!ethertype::is_mpls(action.ethertype())) return Status::kBadAction;
      return shape(record, 8, 6);
    case Action::kPopMpls:
      if (action.ethertype() < ethertype::kFirst) return Status::kBadAction;
      return shape(record, 8, 6);
    case Action::kPushPbb:
      if (action.ethertype() != ethertype::kPbb) return Status::kBadAction;
      return shape(record, 8, 6);
    case Action::kLoad:
    case Action::kMove:
    case Action::kOutputReg:
    case Action::kResubmit:
    case Action::kStackPush:
    case Action::kStackPop:
    case Action::kConjunction:
    case Action::kClone:
    case Action::kExit:
    case Action::kController:
    case Action::kDecNwTtlIds:
    case Action::kNote:
    case Action::kMultipath:
    case Action::kBundle:
    case Action::kCheckPktLarger:
    case Action::kFinTimeout:
    case Action::kSample:
    case Action::kLearn:
    case Action::kSetMasked:
    case Action::kOutputTrunc:
    case Action::kEncap:
    case Action::kDecap:
    case Action::kDecNshTtl:
      return validate_nicira(record, nesting);
    case Action::kMeter:
      return shape(record, 8, 8);
    case Action::kPopVlan:
    case Action::kPopPbb:
    case Action::kDecMplsTtl:
    case Action::kCopyTtlOut:
    case Action::kCopyTtlIn:
    case Action::kDecNwTtl:
      return shape(record, 8, 4);
    case Action::kSetMplsTtl:
    case Action::kSetNwTtl:
      return shape(record, 8, 5);
    case Action::kSetField:
      return validate_set_field(record);
  }
  return Status::kBadAction;
}

/// Each statistic at most once, no threshold of 0.
Status validate_trigger(std::span<const std::uint8_t> record) {
  constexpr unsigned kFlags =
      static_cast<unsigned>(StatTriggerFlag::kPeriodic) | static_cast<unsigned>(StatTriggerFlag::kOnlyFirst);
  const InstructionView trigger(record.data());
  if (record.size() != 8 + 16 * trigger.thresholds() || !zeros(record.subspan(5, 3))) return Status::kMalformed;
  if ((trigger.trigger_flags() & ~kFlags) != 0) return Status::kBadAction;
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < trigger.thresholds(); ++i) {
    if (!zeros(record.subspan(9 + 16 * i, 7))) return Status::kMalformed;
    switch (trigger.threshold_stat(i)) {
      case Stat::kDuration:
      case Stat::kIdleTime:
      case Stat::kPacketCount:
      case Stat::kByteCount:
        break;
      default:
        return Status::kBadAction;
    }
    const std::uint32_t bit = 1u << static_cast<unsigned>(trigger.threshold_stat(i));
    if ((seen & bit) != 0 || trigger.threshold_value(i) == 0) return Status::kBadAction;
    seen |= bit;
  }
  return Status::kOk;
}

Status validate_instruction(std::span<const std::uint8_t> record) {
  const InstructionView instruction(record.data());
  switch (instruction.code()) {
    case Instruction::kMeter:
      return shape(record, 8, 8);
    case Instruction::kApplyActions:
    case Instruction::kWriteActions:
      if (!zeros(record.subspan(4, 4))) return Status::kMalformed;
      return instruction.code() == Instruction::kApplyActions ? validate_actions(instruction.actions())
                                                              : validate_action_set(instruction.actions());
    case Instruction::kClearActions:
      return shape(record, 8, 4);
    case Instruction::kWriteMetadata:
      if (!zeros(record.subspan(4, 4))) return Status::kMalformed;
      return shape(record, 24, 24);
    case Instruction::kGotoTable:
      if (instruction.table() >= kTables) return Status::kBadTable;
      return shape(record, 8, 5);
    case Instruction::kStatTrigger:
      return validate_trigger(record);
  }
  return Status::kMalformed;
}

}  // namespace

Status validate_nested(std::span<const std::uint8_t> actions, unsigned nesting) {
  while (!actions.empty()) {
    const auto record = first_record(actions);
    if (record.empty()) return Status::kMalformed;
    if (Status s = validate_action(record, nesting); s != Status::kOk) return s;
    actions = actions.subspan(record.size());
  }
  return Status::kOk;
}

Status validate_actions(std::span<const std::uint8_t> actions) { return validate_nested(actions, 0); }

Status validate_action_set(std::span<const std::uint8_t> actions) {
  if (Status s = validate_actions(actions); s != Status::kOk) return s;
  for (const ActionView action : Actions(actions)) {
    if (action.code() <= Action::kPopPbb || action.code() == Action::kResubmit) continue;
    if (action.code() == Action::kMeter || action.code() == Action::kSetMasked || action.code() == Action::kMove)
      continue;
    if (action.code() >= Action::kEncap && action.code() <= Action::kDecNshTtl) continue;
    if (action.code() != Action::kLoad) return Status::kBadAction;
    const Subfield to = action.subfield();
    if (to.offset != 0 || to.bits != kFieldPlaces[static_cast<std::size_t>(to.field)].bits) return Status::kBadAction;
  }
  return Status::kOk;
}

namespace {

/// A flow with conjunctions is a part of a match and does nothing else.
Status validate_conjunctions(std::span<const std::uint8_t> instructions) {
  bool conjunctive = false;
  bool more = false;
  for (const InstructionView instruction : Instructions(instructions)) {
    if (instruction.code() != Instruction::kApplyActions) {
      more = true;
      continue;
    }
    for (const ActionView action : Actions(instruction.actions())) {
      if (action.code() == Action::kConjunction) conjunctive = true;
      if (action.code() != Action::kConjunction && action.code() != Action::kNote) more = true;
    }
  }
  return conjunctive && more ? Status::kBadAction : Status::kOk;
}

}  // namespace

Status validate_instructions(std::span<const std::uint8_t> instructions) {
  const std::span<const std::uint8_t> all = instructions;
  std::uint8_t last = 0;
  while (!instructions.empty()) {
    const auto record = first_record(instructions);
    if (record.empty() || record[0] <= last) return Status::kMalformed;
    if (Status s = validate_instruction(record); s != Status::kOk) return s;
    last = record[0];
    instructions = instructions.subspan(record.size());
  }
  return validate_conjunctions(all);
}

}  // namespace xvif
