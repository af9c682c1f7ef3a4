// resubmit: from within a list of actions through other flows, and back. Nesting and look-ups of a packet are bounded,
// since flows may lead in a circle.
#include "actions/modify.h"
#include "pipeline/execution.h"

namespace xvif {

void Execution::give_up(Lane& lane, Packet*& packet, Drop reason) {
  drop(lane, reason);
  packet->release();
  packet = nullptr;
}

void Execution::resubmit(Lane& lane, Packet*& packet, FlowKey& key, const ActionView& action, bool move) {
  if (thread_.resubmit_depth >= kResubmitDepthMax) return give_up(lane, packet, Drop::kResubmitLimit);
  const std::uint8_t asked = action.resubmit_table();
  const std::size_t table = asked == kAllTables ? lane.table : asked;
  const PortNo as_port = action.resubmit_port();
  const bool own_port = raw(as_port) == static_cast<std::uint32_t>(ReservedPort::kInPort);
  const Flow* const flow = lane.flow;
  const std::uint8_t from = lane.table;
  ++thread_.resubmit_depth;
  pass_tables(lane, packet, key, own_port ? key.in_port() : as_port, table, move);
  --thread_.resubmit_depth;
  lane.flow = flow;
  lane.table = from;
}

void Execution::pass_tables(Lane& lane, Packet*& packet, FlowKey& key, PortNo in_port, std::size_t table, bool move) {
  for (;;) {
    if (++lane.resubmits > kResubmitsMax) {
      lane.resubmits = kResubmitsMax;
      return give_up(lane, packet, Drop::kResubmitLimit);
    }
    // The look-up alone sees the other port, or output to IN_PORT would be surprised.
    const PortNo real = key.in_port();
    store_be32(key.at(key_at::kInPort), raw(in_port));
    const Flow* const flow = look_up(*packet, key, table);
    store_be32(key.at(key_at::kInPort), raw(real));
    if (flow == nullptr) return;
    lane.flow = flow;
    lane.table = static_cast<std::uint8_t>(table);
    table = carry_out(lane, packet, key, *flow, move);
    if (table == 0) return;
    in_port = real;
  }
}

std::uint8_t Execution::carry_out(Lane& lane, Packet*& packet, FlowKey& key, const Flow& flow, bool move) {
  const InstructionSet& set = *flow.instructions;
  if (set.meter != kNoMeter && !meter(lane, packet, key, set.meter)) return 0;
  if (!set.apply.empty()) {
    packet = perform(lane, packet, key, set.apply, move && set.goto_table == 0 && set.write.empty());
    if (packet == nullptr) return 0;
    if (lane.exited) [[unlikely]] {
      if (lane.paused) thread_.continuation.keep_instructions(set);
      return 0;
    }
  }
  write_set(lane, key, set.write, set.clears);
  if (set.metadata_mask != 0) write_metadata(key, set.metadata, set.metadata_mask);
  return set.goto_table;
}

const Flow* Execution::find(const Packet& packet, const FlowKey& key, std::size_t id) const {
  const Table* const table = pipeline_.flows_.table(id);
  if (table == nullptr) return nullptr;
  const Rule* found = nullptr;
  if (packet.bare) [[unlikely]] {
    found = table->lookup_typed(key, thread_.version);
  } else {
    table->lookup(&key, 1, thread_.version, &found);
  }
  const auto* const flow = static_cast<const Flow*>(found);
  if (flow == nullptr || !flow->instructions->conjunctive) return flow;
  return pipeline_.flows_.resolve_conjunctions(id, key, thread_.version);
}

const Flow* Execution::look_up(const Packet& packet, const FlowKey& key, std::size_t id) {
  const Flow* const flow = find(packet, key, id);
  if (thread_.trace != nullptr) [[unlikely]] {
    thread_.trace->table({depth(), id, in_egress(), flow, key});
    return flow;
  }
  TableCount& counts = thread_.table_counts[id];
  PortCounters::add(counts.lookups, 1);
  if (flow == nullptr) return nullptr;
  PortCounters::add(counts.matched, 1);
  pipeline_.counters_.add(thread_.index, flow->counter, 1, packet.size, thread_.now_ns);
  return flow;
}

}  // namespace xvif
