// Egress tables (OpenFlow 1.5.1 section 5.1): what leaves by a port goes through tables of its own first, one copy for
// each port. They change it, stop it, and send copies to further ports, which pass the tables on their way there too.
#include <algorithm>

#include "actions/modify.h"
#include "packet/parse.h"
#include "pipeline/execution.h"

namespace xvif {

bool Execution::leaves_by(PortNo port) const {
  const auto ports = std::span(thread_.leaving_by).first(thread_.egress_depth);
  return std::ranges::find(ports, port) != ports.end();
}

bool Execution::leave(Lane& lane, Packet* packet, const FlowKey& key, PortSlot* slot, std::size_t table, bool move) {
  // What is sent on the way out of a port does not come round to that port: flows may mirror what leaves by any.
  if (thread_.egress_depth == kEgressDepthMax || leaves_by(slot->number)) {
    drop(lane, Drop::kLoop);
    return false;
  }
  if (++lane.copies > kClonesMax) {
    drop(lane, Drop::kNoRoom);
    return false;
  }
  Packet* own = move ? packet : packet->clone();
  if (own == nullptr) {
    drop(lane, Drop::kNoMemory);
    return false;
  }
  FlowKey own_key = key;
  parse(*own, own_key);  // NORMAL may have changed its tags
  const std::size_t i = index_of(lane);
  const Lane before = lane;
  Stack stack;
  std::copy_n(thread_.stacks[i].begin(), lane.stack, stack.begin());
  ActionSet set;
  // Also while it is being carried out: what is left of it comes after this.
  if (lane.set != SetUse::kNone) set = thread_.sets[i];
  lane.set = SetUse::kNone;
  lane.stack = 0;
  thread_.leaving_by[thread_.egress_depth++] = slot->number;
  const bool leaves = pass_egress(lane, own, own_key, slot->number, table);
  if (own != nullptr) perform_set(lane, own, own_key);
  --thread_.egress_depth;
  if (own != nullptr && !leaves) drop(lane, Drop::kNoOutput);
  if (own != nullptr && (!leaves || !deliver(lane, own, slot, true))) own->release();
  if (before.set != SetUse::kNone) thread_.sets[i] = set;
  std::copy_n(stack.begin(), before.stack, thread_.stacks[i].begin());
  lane.set = before.set;
  lane.stack = before.stack;
  lane.exited = before.exited;
  lane.flow = before.flow;
  lane.table = before.table;
  return move;
}

bool Execution::pass_egress(Lane& lane, Packet*& packet, FlowKey& key, PortNo port, std::size_t table) {
  bool leaves = true;
  while (table != 0) {
    store_be32(key.at(key_at::kActsetOutput), leaves ? raw(port) : static_cast<std::uint32_t>(ReservedPort::kUnset));
    if (++lane.resubmits > kResubmitsMax) {
      lane.resubmits = kResubmitsMax;
      give_up(lane, packet, Drop::kResubmitLimit);
      return false;
    }
    const Flow* const flow = look_up(*packet, key, table);
    if (flow == nullptr) {
      give_up(lane, packet, Drop::kTableMiss);
      return false;
    }
    const InstructionSet& set = *flow->instructions;
    lane.flow = flow;
    lane.table = static_cast<std::uint8_t>(table);
    if (set.meter != kNoMeter && !meter(lane, packet, key, set.meter)) return false;
    if (!set.apply.empty()) {
      packet = perform(lane, packet, key, set.apply, false);
      if (packet == nullptr || lane.exited) return leaves;
    }
    // The output to the port is part of the set, so that clearing it stops the packet.
    if (set.clears) leaves = false;
    write_set(lane, key, set.write, set.clears);
    if (set.metadata_mask != 0) write_metadata(key, set.metadata, set.metadata_mask);
    table = set.goto_table;
  }
  return leaves;
}

}  // namespace xvif
