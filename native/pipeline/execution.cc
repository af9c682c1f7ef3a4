#include "pipeline/execution.h"

#include <bit>
#include <cstring>
#include <utility>

#include "actions/modify.h"
#include "packet/parse.h"

namespace xvif {
namespace {

constexpr std::size_t kRegisterBytes = 64;

constexpr std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }

template <typename Visit>
void for_each_bit(std::uint64_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::size_t>(std::countr_zero(bits)));
}

}  // namespace

Execution::Execution(Pipeline& pipeline, ThreadContext& thread, std::uint64_t now_ns)
    : pipeline_(pipeline), thread_(thread) {
  thread_.now_ns = now_ns;
  // After the frames were received: what was published before one of them was sent is seen.
  thread_.version = pipeline_.versions_.published();
}

Execution::~Execution() {
  for (PortSlot* slot : thread_.dirty) {
    flush_port(*slot);
    slot->tx[thread_.index].dirty = false;
  }
  thread_.dirty.clear();
  if (!thread_.upcalled) return;
  thread_.upcalled = false;
  if (!pipeline_.woken_.exchange(true, std::memory_order_acq_rel) && pipeline_.wake_) pipeline_.wake_();
}

void Execution::enter(std::size_t i, Packet* packet, PortNo in_port, PortSlot* in_slot, unsigned copies) {
  thread_.lanes[i] = {.packet = packet,
                      .in_slot = in_slot,
                      .in_port = in_port,
                      .flow = nullptr,
                      .table = 0,
                      .accounted = false,
                      .set = SetUse::kNone,
                      .exited = false,
                      .paused = false,
                      .stack = 0,
                      .resubmits = 0,
                      .copies = copies};
  FlowKey& key = thread_.keys[i];
  store_be32(key.at(key_at::kInPort), raw(in_port));
  store_be32(key.at(key_at::kInPhyPort), raw(in_port));
  store_be64(key.at(key_at::kMetadata), 0);
  store_be64(key.at(key_at::kTunnelId), 0);
  store_be32(key.at(key_at::kActsetOutput), static_cast<std::uint32_t>(ReservedPort::kUnset));
  if ((thread_.registers_used & bit(i)) != 0) [[unlikely]] {
    std::memset(key.at(key_at::kReg), 0, kRegisterBytes);
    thread_.registers_used &= ~bit(i);
  }
  parse(*packet, key);
}

bool Execution::admit(std::size_t i) {
  Lane& lane = thread_.lanes[i];
  const bool fragment = *thread_.keys[i].at(key_at::kFrag) != 0;
  if (fragment && pipeline_.frag_mode_.load(std::memory_order_relaxed) == FragMode::kDrop) [[unlikely]] {
    drop(lane, Drop::kFrag);
    lane.packet->release();
    lane.packet = nullptr;
    return false;
  }
  return true;
}

bool Execution::guard(std::size_t i) {
  Lane& lane = thread_.lanes[i];
  const SourceFilter* const sources = lane.in_slot->sources();
  if (sources == nullptr || sources->admits(*lane.packet, thread_.keys[i])) return true;
  drop(lane, Drop::kSpoofed);
  lane.packet->release();
  lane.packet = nullptr;
  return false;
}

void Execution::receive(std::span<Packet* const> packets) {
  for (Packet* packet : packets) __builtin_prefetch(packet->data);
  thread_.retyped = 0;
  std::uint64_t lanes = 0;
  PortSlot* slot = nullptr;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    Packet* const packet = packets[i];
    if (slot == nullptr || slot->number != packet->in_port) slot = pipeline_.ports_.slot(packet->in_port);
    if (slot == nullptr) [[unlikely]] {
      packet->release();
      continue;
    }
    const std::uint32_t config = slot->config.load(std::memory_order_relaxed);
    if ((config & PortSlot::kDeaf) != 0 && slot->refuses(packet->data)) [[unlikely]] {
      thread_.lanes[i].in_slot = slot;
      drop(thread_.lanes[i], (config & PortSlot::kStopped) != 0 ? Drop::kPortDown : Drop::kNoRecv);
      packet->release();
      continue;
    }
    enter(i, packet, packet->in_port, slot, 0);
    if ((config & slot_bit::kGuarded) != 0 && !guard(i)) [[unlikely]]
      continue;
    if (admit(i)) lanes |= bit(i);
  }
  run(lanes);
}

void Execution::packet_out(Packet* packet, PortNo in_port, std::span<const std::uint8_t> actions) {
  enter(0, packet, in_port, pipeline_.ports_.slot(in_port), 0);
  thread_.may_resubmit = true;
  Packet* rest = perform(thread_.lanes[0], packet, thread_.keys[0], actions, true);
  if (rest != nullptr && thread_.lanes[0].paused) hold(thread_.lanes[0], rest, thread_.keys[0], false);
  // Flows that a resubmit led to may have written to the action set.
  if (rest != nullptr) perform_set(thread_.lanes[0], rest, thread_.keys[0]);
  if (rest != nullptr) rest->release();
  pass_again(in_port);
}

void Execution::pass_again(PortNo in_port) {
  thread_.may_resubmit = false;
  for (const ThreadContext::Resubmitted& again : thread_.resubmitted) {
    enter(0, again.packet, in_port, pipeline_.ports_.slot(in_port), again.copies);
    thread_.retyped = bit(0);
    if (admit(0)) run(bit(0));
  }
  thread_.resubmitted.clear();
}

void Execution::wait(std::size_t table, std::uint64_t lanes) {
  thread_.waiting[table] |= lanes;
  thread_.tables_waiting[table / 64] |= bit(table % 64);
}

void Execution::run(std::uint64_t lanes) {
  if (lanes == 0) return;
  if (thread_.trace != nullptr) [[unlikely]]
    thread_.trace->begin(thread_.keys[0]);
  wait(0, lanes);
  drain();
}

void Execution::drain() {
  // Goto leads to higher tables only, so a table that was visited stays empty.
  for (std::size_t word = 0; word < thread_.tables_waiting.size(); ++word) {
    std::uint64_t& tables = thread_.tables_waiting[word];
    while (tables != 0) {
      const std::size_t table = word * 64 + static_cast<std::size_t>(std::countr_zero(tables));
      tables &= tables - 1;
      visit(table, std::exchange(thread_.waiting[table], 0));
    }
  }
}

void Execution::count(std::size_t table, std::uint64_t lanes) {
  TableCount& counts = thread_.table_counts[table];
  Counters& counters = pipeline_.counters_;
  std::uint64_t matched = 0;
  const Flow* flow = nullptr;
  std::uint64_t packets = 0, bytes = 0;
  const auto add = [&] {
    if (flow != nullptr) counters.add(thread_.index, flow->counter, packets, bytes, thread_.now_ns);
  };
  for_each_bit(lanes, [&](std::size_t i) {
    const auto* const found = static_cast<const Flow*>(thread_.found[i]);
    if (found != flow) {
      // Neighbours often take the same flow: their sum is added at once.
      add();
      flow = found;
      packets = bytes = 0;
    }
    ++packets;
    bytes += thread_.lanes[i].packet->size;
    matched += found != nullptr;
  });
  add();
  PortCounters::add(counts.lookups, static_cast<std::uint64_t>(std::popcount(lanes)));
  PortCounters::add(counts.matched, matched);
}

void Execution::look_up_bare(const Table& table, std::uint64_t lanes) {
  for_each_bit(lanes, [&](std::size_t i) {
    if (thread_.lanes[i].packet->bare) thread_.found[i] = table.lookup_typed(thread_.keys[i], thread_.version);
  });
}

void Execution::visit(std::size_t id, std::uint64_t lanes) {
  const Table* const table = pipeline_.flows_.table(id);
  if (table != nullptr) {
    table->lookup(thread_.keys.data(), lanes, thread_.version, thread_.found.data());
    if ((lanes & thread_.retyped) != 0) [[unlikely]]
      look_up_bare(*table, lanes & thread_.retyped);
    if (pipeline_.flows_.has_conjunctions(id)) [[unlikely]] {
      for_each_bit(lanes, [&](std::size_t i) {
        const auto* const flow = static_cast<const Flow*>(thread_.found[i]);
        if (flow == nullptr || !flow->instructions->conjunctive) return;
        thread_.found[i] = pipeline_.flows_.resolve_conjunctions(id, thread_.keys[i], thread_.version);
      });
    }
    for_each_bit(lanes, [&](std::size_t i) {
      const auto* const flow = static_cast<const Flow*>(thread_.found[i]);
      if (flow != nullptr) __builtin_prefetch(pipeline_.counters_.at(thread_.index, flow->counter), 1);
    });
  } else {
    for_each_bit(lanes, [&](std::size_t i) { thread_.found[i] = nullptr; });
  }
  if (thread_.trace == nullptr) [[likely]] {
    count(id, lanes);
  } else {
    tell_tables(id, lanes);
  }
  for_each_bit(lanes, [&](std::size_t i) {
    const auto* const flow = static_cast<const Flow*>(thread_.found[i]);
    if (flow != nullptr) {
      execute(i, id, *flow);
    } else {
      miss(i, id);
    }
  });
}

void Execution::miss(std::size_t i, std::size_t table) {
  Lane& lane = thread_.lanes[i];
  const TableMiss rule = pipeline_.table_miss_[table].load(std::memory_order_relaxed);
  if (rule == TableMiss::kContinue && table + 1 < kTables) [[unlikely]] {
    wait(table + 1, bit(i));
    return;
  }
  // Section 5.4: without a table-miss flow the packet is dropped. Before OpenFlow 1.3 it went to the controller.
  const bool asked = rule == TableMiss::kDefault || rule == TableMiss::kController;
  if (asked && pipeline_.misses_.load(std::memory_order_relaxed)) [[unlikely]] {
    lane.flow = nullptr;
    lane.table = static_cast<std::uint8_t>(table);
    packet_in(lane, *lane.packet, thread_.keys[i], PacketInReason::kNoMatch, kControllerMaxLenNoBuffer);
  } else {
    drop(lane, Drop::kTableMiss);
  }
  lane.packet->release();
  lane.packet = nullptr;
}

bool Execution::meter(Lane& lane, Packet*& packet, FlowKey& key, std::uint32_t id) {
  Meter* const meter = pipeline_.meters_.find(id, thread_.version);
  if (meter == nullptr) return true;
  const Band* const band = charge(*meter, *packet);
  if (band == nullptr) return true;
  if (band->mod.type == static_cast<unsigned>(MeterBandType::kDscpRemark)) {
    remark_dscp(*packet, key, band->mod.prec_level);
    return true;
  }
  drop(lane, Drop::kMeter);
  packet->release();
  packet = nullptr;
  return false;
}

void Execution::execute(std::size_t i, std::size_t table, const Flow& flow) {
  Lane& lane = thread_.lanes[i];
  FlowKey& key = thread_.keys[i];
  const InstructionSet& set = *flow.instructions;
  lane.flow = &flow;
  lane.table = static_cast<std::uint8_t>(table);
  if (set.meter != kNoMeter && !meter(lane, lane.packet, key, set.meter)) return;
  if (!set.apply.empty()) {
    // Before, so that the packet may go with its last action.
    if (set.clears && !set.uses_set) lane.set = SetUse::kNone;
    lane.packet = perform(lane, lane.packet, key, set.apply, set.goto_table == 0 && set.write.empty());
    if (lane.packet == nullptr) return;
    if (lane.exited) [[unlikely]] {
      if (!lane.paused) return finish(i);
      thread_.continuation.keep_instructions(set);
      return hold(lane, lane.packet, key, true);
    }
  }
  write_set(lane, key, set.write, set.clears);
  if (set.metadata_mask != 0) write_metadata(key, set.metadata, set.metadata_mask);
  if (set.goto_table != 0) {
    wait(set.goto_table, bit(i));
  } else {
    finish(i);
  }
}

void Execution::write_set(Lane& lane, FlowKey& key, std::span<const std::uint8_t> written, bool clears) {
  if (thread_.trace != nullptr) [[unlikely]]
    thread_.trace->instructions(depth());
  if (lane.set == SetUse::kDone || (!clears && written.empty())) return;
  ActionSet& actions = thread_.sets[index_of(lane)];
  if (clears) lane.set = SetUse::kNone;
  if (lane.set == SetUse::kNone) actions.clear();
  if (!written.empty()) {
    actions.write(written);
    lane.set = SetUse::kHolds;
  }
  // A group comes before an output, so that the latter is none (OpenFlow 1.5.1 section 7.2.3.8).
  const bool outputs = actions.output().has_value() && !actions.group().has_value();
  const std::uint32_t unset = static_cast<std::uint32_t>(ReservedPort::kUnset);
  store_be32(key.at(key_at::kActsetOutput), outputs ? raw(actions.output()->port()) : unset);
}

void Execution::perform_set(Lane& lane, Packet*& packet, FlowKey& key) {
  if (lane.set != SetUse::kHolds) return;
  lane.set = SetUse::kDone;
  lane.exited = false;
  const bool traced = thread_.trace != nullptr;
  if (traced) [[unlikely]]
    thread_.trace->action_set(depth());
  thread_.sets[index_of(lane)].for_each([&](const ActionView& action) {
    // Group, output and resubmit come last and exclude each other. In an egress table the packet has a port to go to
    // yet.
    const bool last = action.code() == Action::kOutput || action.code() == Action::kGroup;
    const bool move = last && !in_egress();
    if (packet == nullptr) return Verdict::kOk;
    if (traced) [[unlikely]] {
      traced_step(lane, packet, key, action);
    } else {
      step(lane, packet, key, action, move);
    }
    return Verdict::kOk;
  });
  if (packet != nullptr && lane.paused) [[unlikely]]
    hold(lane, packet, key, false);
}

void Execution::finish(std::size_t i) {
  Lane& lane = thread_.lanes[i];
  perform_set(lane, lane.packet, thread_.keys[i]);
  // A trace that ends without an output says so by itself.
  if (!lane.accounted && thread_.trace == nullptr) drop(lane, Drop::kNoOutput);
  if (lane.packet != nullptr) lane.packet->release();
  lane.packet = nullptr;
}

}  // namespace xvif
