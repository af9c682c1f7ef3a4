#include "actions/action_set.h"

namespace xvif {

ActionSet::Slot ActionSet::slot_of(Action action) {
  switch (action) {
    case Action::kCopyTtlIn:
      return kCopyTtlIn;
    case Action::kPopVlan:
      return kPopVlan;
    case Action::kPopMpls:
      return kPopMpls;
    case Action::kPopPbb:
      return kPopPbb;
    case Action::kDecap:
      return kDecap;
    case Action::kEncap:
      return kEncap;
    case Action::kDecNshTtl:
      return kDecNshTtl;
    case Action::kPushMpls:
      return kPushMpls;
    case Action::kPushPbb:
      return kPushPbb;
    case Action::kPushVlan:
      return kPushVlan;
    case Action::kCopyTtlOut:
      return kCopyTtlOut;
    case Action::kDecMplsTtl:
      return kDecMplsTtl;
    case Action::kDecNwTtl:
      return kDecNwTtl;
    case Action::kSetMplsTtl:
      return kSetMplsTtl;
    case Action::kSetNwTtl:
      return kSetNwTtl;
    case Action::kMeter:
      return kMeter;
    case Action::kSetQueue:
      return kQueue;
    case Action::kGroup:
      return kGroup;
    case Action::kOutput:
      return kOutput;
    case Action::kResubmit:
      return kResubmit;
    default:
      break;  // set_field, set_masked, load and move have places of their own; others are in no set
              // (validate_action_set)
  }
  return kSlots;
}

namespace {

/// Of an action that counts as "set": the field that it writes to.
std::optional<Field> field_of(const ActionView& action) {
  switch (action.code()) {
    case Action::kSetField:
    case Action::kSetMasked:
      return action.field();
    case Action::kLoad:
      return action.subfield().field;
    case Action::kMove:
      return action.destination().field;
    default:
      return std::nullopt;
  }
}

}  // namespace

void ActionSet::write(std::span<const std::uint8_t> actions) {
  for (const ActionView action : Actions(actions)) {
    if (const auto which = field_of(action)) {
      const auto field = static_cast<std::size_t>(*which);
      fields_[field] = action.at();
      fields_used_[field / 64] |= std::uint64_t{1} << (field % 64);
      continue;
    }
    const Slot slot = slot_of(action.code());
    if (slot == kSlots) continue;
    slots_[slot] = action.at();
    slots_used_ |= bit(slot);
  }
}

std::vector<std::uint8_t> ordered_as_set(std::span<const std::uint8_t> actions) {
  ActionSet set;
  set.write(actions);
  std::vector<std::uint8_t> ordered;
  ordered.reserve(actions.size());
  set.for_each([&](const ActionView& action) {
    const auto bytes = action.bytes();
    ordered.insert(ordered.end(), bytes.begin(), bytes.end());
    return Verdict::kOk;
  });
  return ordered;
}

}  // namespace xvif
