#include "actions/validate.h"

#include <algorithm>

#include "actions/iterate.h"
#include "packet/flow_key.h"
#include "packet/headers.h"

namespace xvif {

namespace {

bool zeros(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

constexpr std::size_t kRecordUnit = 8;

/// The record at the start of `bytes`; empty when it is malformed.
std::span<const std::uint8_t> first_record(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kRecordUnit || bytes[1] != 0) return {};
  const std::size_t length = load_host<std::uint16_t>(bytes.data() + 2);
  if (length < kRecordUnit || length % kRecordUnit != 0 || length > bytes.size()) return {};
  return bytes.first(length);
}

/// `record` has exactly `length` bytes, and nothing in those after `used`.
Status shape(std::span<const std::uint8_t> record, std::size_t length, std::size_t used) {
  return record.size() == length && zeros(record.subspan(used)) ? Status::kOk : Status::kMalformed;
}

Status validate_set_field(std::span<const std::uint8_t> record) {
  constexpr std::size_t kValueAt = 8;
  const std::size_t number = record[4];
  const std::size_t width = record[5];
  if (number >= kFields || !kFieldPlaces[number].settable || width != field_bytes(Field{record[4]})) {
    return Status::kBadField;
  }
  if (static_cast<Field>(number) == Field::kPbbIsid) return Status::kBadField;
  const std::size_t length = (kValueAt + width + kRecordUnit - 1) / kRecordUnit * kRecordUnit;
  if (record[6] != 0 || record[7] != 0) return Status::kMalformed;
  if (Status s = shape(record, length, kValueAt + width); s != Status::kOk) return s;
  // The first byte holds the bits that are left over.
  const unsigned top_bits = kFieldPlaces[number].bits % 8;
  if (top_bits != 0 && record[kValueAt] >> top_bits != 0) return Status::kBadAction;
  return Status::kOk;
}

Status validate_action(std::span<const std::uint8_t> record) {
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
    case Action::kPopVlan:
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
    case Action::kPushPbb:
    case Action::kPopPbb:
      return Status::kBadAction;
  }
  return Status::kBadAction;
}

Status validate_instruction(std::span<const std::uint8_t> record) {
  const InstructionView instruction(record.data());
  switch (instruction.code()) {
    case Instruction::kMeter:
      return shape(record, 8, 8);
    case Instruction::kApplyActions:
    case Instruction::kWriteActions:
      if (!zeros(record.subspan(4, 4))) return Status::kMalformed;
      return validate_actions(instruction.actions());
    case Instruction::kClearActions:
      return shape(record, 8, 4);
    case Instruction::kWriteMetadata:
      if (!zeros(record.subspan(4, 4))) return Status::kMalformed;
      return shape(record, 24, 24);
    case Instruction::kGotoTable:
      if (instruction.table() >= kTables) return Status::kBadTable;
      return shape(record, 8, 5);
  }
  return Status::kMalformed;
}

}  // namespace

Status validate_actions(std::span<const std::uint8_t> actions) {
  while (!actions.empty()) {
    const auto record = first_record(actions);
    if (record.empty()) return Status::kMalformed;
    if (Status s = validate_action(record); s != Status::kOk) return s;
    actions = actions.subspan(record.size());
  }
  return Status::kOk;
}

Status validate_instructions(std::span<const std::uint8_t> instructions) {
  std::uint8_t last = 0;
  while (!instructions.empty()) {
    const auto record = first_record(instructions);
    if (record.empty() || record[0] <= last) return Status::kMalformed;
    if (Status s = validate_instruction(record); s != Status::kOk) return s;
    last = record[0];
    instructions = instructions.subspan(record.size());
  }
  return Status::kOk;
}

}  // namespace xvif
