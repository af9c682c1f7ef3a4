// Lists of actions and groups.
#include <utility>

#include "actions/modify.h"
#include "pipeline/execution.h"

namespace xvif {

void Execution::step(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move) {
  switch (action.code()) {
    case Action::kOutput:
      if (output(lane, packet, key, action.port(), action.max_len(), move)) packet = nullptr;
      return;
    case Action::kGroup:
      if (group(lane, packet, key, action.group(), move)) packet = nullptr;
      return;
    case Action::kSetQueue:
      return;  // no port has queues of its own yet
    default:
      break;
  }
  if (action.code() > Action::kPopPbb) [[unlikely]] {
    extended(lane, packet, key, action, move);
    return;
  }
  conclude(lane, packet, key, modify(*packet, key, action));
}

void Execution::conclude(Lane& lane, Packet*& packet, const FlowKey& key, Verdict verdict) {
  if (verdict == Verdict::kOk) [[likely]]
    return;
  if (verdict == Verdict::kInvalidTtl) {
    drop(lane, Drop::kTtl);
    packet_in(lane, *packet, key, PacketInReason::kInvalidTtl, kControllerMaxLenNoBuffer);
  } else {
    drop(lane, verdict == Verdict::kNoRoom ? Drop::kNoRoom : Drop::kPacketType);
  }
  packet->release();
  packet = nullptr;
}

Packet* Execution::perform(Lane& lane, Packet* packet, FlowKey& key, std::span<const std::uint8_t> actions, bool last) {
  const std::uint8_t* const end = actions.data() + actions.size();
  const bool traced = thread_.trace != nullptr;
  for (ActionView action : Actions(actions)) {
    const bool at_end = action.at() + action.length() == end;
    const bool move = last && at_end && lane.set != SetUse::kHolds;
    if (traced) [[unlikely]] {
      traced_step(lane, packet, key, action);
    } else {
      step(lane, packet, key, action, move);
    }
    if (packet == nullptr) return packet;
    if (lane.exited) [[unlikely]] {
      const std::uint8_t* const rest = action.at() + action.length();
      if (lane.paused) keep_actions(lane, {rest, end});
      return packet;
    }
  }
  return packet;
}

bool Execution::group(Lane& lane, Packet* packet, FlowKey& key, std::uint32_t id, bool move) {
  const Group* const group = pipeline_.groups_.find(id, thread_.version);
  if (group == nullptr || group->buckets.empty()) {
    drop(lane, Drop::kGroupNoBucket);
    return false;
  }
  if (thread_.group_depth >= kGroupDepthMax) {
    drop(lane, Drop::kGroupDepth);
    return false;
  }
  tally(group->counter, *packet);
  if (group->type == GroupType::kSelect || group->type == GroupType::kFf) {
    const std::uint32_t hash = group->type == GroupType::kSelect ? selection_hash(group->selection, key) : 0;
    const Bucket* const chosen = pipeline_.groups_.choose(*group, hash, thread_.version);
    if (thread_.trace != nullptr) [[unlikely]]
      tell_group(*group, chosen);
    if (chosen != nullptr) return bucket(lane, packet, key, *chosen, move);
    drop(lane, Drop::kGroupNoBucket);
    return false;
  }
  if (thread_.trace != nullptr) [[unlikely]]
    tell_group(*group, nullptr);
  for (const Bucket& each : group->buckets) {
    if (bucket(lane, packet, key, each, move && &each == &group->buckets.back())) return true;
  }
  return false;
}

bool Execution::bucket(Lane& lane, Packet* packet, FlowKey& key, const Bucket& bucket, bool move) {
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  if (thread_.trace != nullptr) [[unlikely]]
    thread_.trace->bucket(depth(), bucket);
  tally(bucket.counter, *packet);
  Packet* const own = move ? packet : packet->clone();
  if (own == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  ++thread_.group_depth;
  // What flows reached from a bucket write to the action set has no effect; exit ends the bucket alone.
  const SetUse set = std::exchange(lane.set, SetUse::kDone);
  Packet* rest = nullptr;
  const auto carry_out = [&](FlowKey& own_key) {
    rest = perform(lane, own, own_key, bucket.ordered, true);
    if (rest != nullptr && lane.paused) [[unlikely]]
      hold(lane, rest, own_key, false);
  };
  if (move || !bucket.modifies) {
    carry_out(key);
  } else {
    FlowKey copy = key;
    carry_out(copy);
  }
  --thread_.group_depth;
  lane.set = set;
  lane.exited = false;
  if (rest != nullptr) rest->release();
  return move;
}

}  // namespace xvif
