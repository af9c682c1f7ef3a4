// Nicira's actions.
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "actions/modify.h"
#include "actions/subfield.h"
#include "pipeline/balance.h"
#include "pipeline/execution.h"

namespace xvif {
namespace {

/// Of what is to be segmented later its longest segment counts.
std::uint32_t bytes_on_the_wire(const Packet& packet) {
  if (packet.gso == Gso::kNone || packet.l4 == 0 || packet.l4 + 20u > packet.linear) return packet.size;
  const std::uint32_t headers = packet.l4 + 4u * (packet.data[packet.l4 + 12] >> 4);
  return std::min(packet.size, headers + packet.gso_size);
}

/// OFPP_NONE of OpenFlow 1.0: no member is live.
constexpr std::uint32_t kNoPort16 = 0xffff;

WideNumber wide_number(std::uint32_t number) {
  WideNumber value{};
  store_be32(value.data() + 12, number);
  return value;
}

}  // namespace

void Execution::extended(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move) {
  switch (action.code()) {
    case Action::kLoad:
      return load(lane, packet, key, action);
    case Action::kSetMasked:
      return set_masked(lane, packet, key, action);
    case Action::kMeter:
      meter(lane, packet, key, action.meter());
      return;
    case Action::kMove: {
      WideNumber value;
      if (!read_subfield(key, action.subfield(), value)) return;
      return write(lane, packet, key, action.destination(), value);
    }
    case Action::kOutputReg: {
      WideNumber value;
      if (!read_subfield(key, action.subfield(), value)) return;
      if (output(lane, packet, key, port_of(value), action.controller_max_len(), move)) packet = nullptr;
      return;
    }
    case Action::kResubmit:
      return resubmit(lane, packet, key, action, move);
    case Action::kStackPush:
      return push(lane, packet, key, action.subfield());
    case Action::kStackPop:
      if (lane.stack == 0) return;
      return write(lane, packet, key, action.subfield(), thread_.stacks[index_of(lane)][--lane.stack]);
    case Action::kClone:
      return clone(lane, packet, key, action, move);
    case Action::kExit:
      lane.exited = true;
      return;
    case Action::kController: {
      // What is on its way out of a port has no list of actions to come back to.
      if (action.pauses() && !in_egress()) return pause(lane, action);
      const auto reason = static_cast<PacketInReason>(action.reason());
      return packet_in(lane, *packet, key, reason, action.controller_max_len(),
                       {action.controller_id(), action.controller_meter(), action.userdata(), {}});
    }
    case Action::kDecNwTtlIds: {
      const std::array<std::uint8_t, 8> plain = {static_cast<std::uint8_t>(Action::kDecNwTtl), 0, 8};
      if (modify(*packet, key, ActionView(plain.data())) != Verdict::kOk) invalid_ttl(lane, packet, key, action);
      return;
    }
    case Action::kEncap:
    case Action::kDecap:
    case Action::kDecNshTtl:
      return change_type(lane, packet, key, action);
    case Action::kCheckPktLarger: {
      WideNumber value{};
      value.back() = bytes_on_the_wire(*packet) - packet->before() > action.packet_length();
      return write(lane, packet, key, action.subfield(), value);
    }
    case Action::kMultipath: {
      const auto hash = balance_hash(key, HashFields{action.hash_fields()}, action.hash_basis());
      const auto algorithm = MultipathAlgorithm{action.algorithm()};
      return write(lane, packet, key, action.destination(),
                   wide_number(choose_link(algorithm, hash, action.links(), action.multipath_argument())));
    }
    case Action::kBundle:
      return bundle(lane, packet, key, action, move);
    case Action::kOutputTrunc:
      if (output_truncated(lane, packet, key, action, move)) packet = nullptr;
      return;
    case Action::kSample:
      return sample(lane, *packet, action);
    case Action::kFinTimeout:
      return fin_timeout(lane, key, action);
    case Action::kLearn:
      return learn(lane, packet, key, action);
    default:
      return;  // note
  }
}

void Execution::load(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action) {
  const Subfield to = action.subfield();
  const std::size_t width = (to.bits + 7u) / 8u;
  WideNumber value{};
  std::memcpy(value.data() + value.size() - width, action.load_value(), width);
  write(lane, packet, key, to, value);
}

void Execution::set_masked(Lane& lane, Packet* packet, FlowKey& key, const ActionView& action) {
  const Field field = action.field();
  WideNumber value;
  get_field(key, field, value.data());
  for (std::size_t i = 0; i < field_bytes(field); ++i) {
    value[i] = static_cast<std::uint8_t>((value[i] & ~action.mask()[i]) | action.value()[i]);
  }
  thread_.registers_used |= std::uint64_t{1} << index_of(lane);
  set_packet_field(*packet, key, field, value.data());
}

void Execution::write(Lane& lane, Packet* packet, FlowKey& key, const Subfield& to, const WideNumber& value) {
  thread_.registers_used |= std::uint64_t{1} << index_of(lane);
  write_subfield(*packet, key, to, value);
}

void Execution::bundle(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move) {
  const bool weighs = BundleAlgorithm{action.algorithm()} == BundleAlgorithm::kHighestWeight;
  const std::uint32_t hash =
      weighs ? balance_hash(key, HashFields{action.hash_fields()}, action.hash_basis()) : std::uint32_t{0};
  std::optional<PortNo> chosen;
  std::uint32_t chosen_weight = 0;
  for (std::uint32_t i = 0; i < action.count(); ++i) {
    const PortSlot* const slot = pipeline_.ports_.slot(action.member(i));
    if (slot == nullptr || !slot->is_live()) continue;
    const std::uint32_t weight = weighs ? balance_weight(hash, i) : 0;
    if (chosen && weight <= chosen_weight) continue;
    chosen = action.member(i);
    chosen_weight = weight;
  }
  if (action.destination().bits != 0) {
    return write(lane, packet, key, action.destination(), wide_number(chosen ? raw(*chosen) : kNoPort16));
  }
  if (!chosen) return drop(lane, Drop::kNoPort);
  if (output(lane, packet, key, *chosen, kControllerMaxLenNoBuffer, move)) packet = nullptr;
}

void Execution::push(Lane& lane, Packet*& packet, const FlowKey& key, const Subfield& from) {
  if (lane.stack == kStackMax) return give_up(lane, packet, Drop::kStackFull);
  WideNumber value{};
  read_subfield(key, from, value);  // 0 when the packet does not have the field
  thread_.stacks[index_of(lane)][lane.stack++] = value;
}

void Execution::clone(Lane& lane, Packet*& packet, const FlowKey& key, const ActionView& action, bool move) {
  if (thread_.resubmit_depth >= kResubmitDepthMax) return give_up(lane, packet, Drop::kResubmitLimit);
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return;
  }
  Packet* own = move ? std::exchange(packet, nullptr) : packet->clone();
  if (own == nullptr) {
    drop(lane, Drop::kNoMemory);
    return;
  }
  // Everything but the packet's copy is as before when it is done: fields, stack, action set.
  FlowKey own_key = key;
  const std::size_t i = index_of(lane);
  const Lane before = lane;
  Stack stack;
  std::copy_n(thread_.stacks[i].begin(), lane.stack, stack.begin());
  ActionSet set;
  // Also while it is being carried out: what is left of it comes after this.
  if (lane.set != SetUse::kNone) set = thread_.sets[i];
  ++thread_.resubmit_depth;
  own = perform(lane, own, own_key, action.nested(), true);
  if (own != nullptr && lane.paused) hold(lane, own, own_key, false);
  if (own != nullptr) perform_set(lane, own, own_key);
  --thread_.resubmit_depth;
  if (own != nullptr) own->release();
  if (before.set != SetUse::kNone) thread_.sets[i] = set;
  std::copy_n(stack.begin(), before.stack, thread_.stacks[i].begin());
  lane.set = before.set;
  lane.stack = before.stack;
  lane.exited = false;
}

void Execution::change_type(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action) {
  thread_.retyped |= std::uint64_t{1} << index_of(lane);
  conclude(lane, packet, key, modify(*packet, key, action));
}

void Execution::sample(Lane& lane, const Packet& packet, const ActionView& action) {
  constexpr std::uint16_t kAlways = 0xffff;
  const auto* const effect = lane.flow == nullptr ? nullptr : lane.flow->instructions->effect_of(action);
  if (effect == nullptr || effect->sampled == kNoCounter) return;
  const std::uint64_t random = mix64(thread_.random++ ^ thread_.index << 56);
  if (action.probability() != kAlways && (random & kAlways) >= action.probability()) return;
  tally(effect->sampled, packet);
}

void Execution::invalid_ttl(Lane& lane, Packet*& packet, const FlowKey& key, const ActionView& action) {
  drop(lane, Drop::kTtl);
  for (std::size_t i = 0; i < action.count(); ++i) {
    packet_in(lane, *packet, key, PacketInReason::kInvalidTtl, kControllerMaxLenNoBuffer,
              {action.id(i), kNoMeter, {}, {}});
  }
  packet->release();
  packet = nullptr;
}

}  // namespace xvif
