// Flows that data plane threads ask for: learned ones, and shorter timeouts (ovs-actions(7), "learn", "fin_timeout").
#include <algorithm>

#include "pipeline/flow_tables.h"

namespace xvif {

bool FlowTables::carry_out(const FlowRequest& request, std::span<const std::uint8_t> instructions,
                           std::uint64_t now_ns) {
  now_ns_ = now_ns;
  if (request.kind == FlowRequest::kLearn) return learn(request, instructions, now_ns);
  const Table* const table = tables_[request.table].load(std::memory_order_relaxed);
  auto* const flow =
      table == nullptr ? nullptr : static_cast<Flow*>(table->find(request.value, request.mask, request.priority));
  // It may have gone meanwhile, and another taken its place.
  if (flow == nullptr || flow->born != request.born || !flow->shorten(request.idle_timeout, request.hard_timeout))
    return true;
  expiry_.disarm(*flow);
  arm(*flow);
  if (Eviction* const eviction = evictions_[flow->table].get()) {
    eviction->remove(*flow);
    eviction->add(*flow);
  }
  return true;
}

bool FlowTables::learn(const FlowRequest& request, std::span<const std::uint8_t> instructions, std::uint64_t now_ns) {
  FlowMod mod;
  mod.table = request.table;
  mod.priority = request.priority;
  mod.cookie = request.cookie;
  mod.flags = request.flags;
  mod.idle_timeout = request.idle_timeout;
  mod.hard_timeout = request.hard_timeout;
  mod.value = request.value;
  mod.mask = request.mask;
  mod.instructions = instructions;
  // What made it has gone meanwhile: nothing would take it along any more.
  if (request.owned && !effects_.owns({mod.table, mod.cookie})) return false;
  const Table& table = table_for(mod.table);
  const auto* const old = static_cast<const Flow*>(table.find(mod.value, mod.mask, mod.priority));
  if (old == nullptr) {
    if (!has_room(request) || apply(mod, now_ns) != Status::kOk) return false;
    ++learned_;
    return true;
  }
  old->refresh(now_ns);
  const bool same = std::ranges::equal(old->instructions->bytes(), instructions);
  if (same && (mod.cookie == old->cookie || mod.cookie == kAnyCookie)) return true;
  mod.command = FlowCommand::kModifyStrict;
  mod.flags = mod.cookie == kAnyCookie ? 0 : static_cast<std::uint16_t>(FlowFlag::kSetCookie);
  const Status status = modify(mod, now_ns);
  delete_orphans(now_ns);
  return status == Status::kOk;
}

bool FlowTables::has_room(const FlowRequest& request) const {
  if (request.limit == 0) return true;
  const Effects::Family family{request.table, request.cookie};
  const std::atomic<std::uint64_t>* const known = effects_.size(family);
  if (known != nullptr) return known->load(std::memory_order_relaxed) < request.limit;
  // The flow with the limit has gone meanwhile.
  return !request.of_flow && family_size(family) < request.limit;
}

std::uint64_t FlowTables::family_size(const Effects::Family& family) const {
  const Table* const table = tables_[family.first].load(std::memory_order_relaxed);
  std::uint64_t size = 0;
  for (std::uint32_t slot = 0; table != nullptr && slot < table->slots(); ++slot) {
    const auto* const flow = static_cast<const Flow*>(table->at(slot));
    size += flow != nullptr && flow->cookie == family.second;
  }
  return size;
}

void FlowTables::delete_orphans(std::uint64_t now_ns) {
  // Flows that go may have learned others.
  for (auto orphans = effects_.take_orphans(); !orphans.empty(); orphans = effects_.take_orphans()) {
    for (const auto& [table, cookie] : orphans) {
      FlowMod mod;
      mod.command = FlowCommand::kDelete;
      mod.table = table;
      mod.cookie = cookie;
      mod.cookie_mask = ~std::uint64_t{0};
      erase(mod, now_ns);
    }
  }
}

}  // namespace xvif
