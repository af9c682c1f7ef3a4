// All flows of a table deleted at once, and what becomes of flows that were removed: told of, then freed.
#include "base/assert.h"
#include "pipeline/flow_tables.h"

namespace xvif {
namespace {

template <typename Visit>
void for_each(const Table::Cleared& flows, Visit visit) {
  for (std::uint32_t slot = 0; slot < flows.slots(); ++slot) {
    if (Rule* const rule = flows.at(slot)) visit(static_cast<Flow&>(*rule));
  }
}

}  // namespace

void FlowTables::clear(std::uint8_t id, std::uint64_t now_ns, bool silent) {
  Table* const table = tables_[id].load(std::memory_order_relaxed);
  if (table == nullptr || table->size() == 0) return;
  auto owned = std::make_unique<Cleared>();
  Cleared& cleared = *owned;
  cleared_.push_back(std::move(owned));
  cleared.table = id;
  cleared.flows = table->clear(versions_.working());
  cleared_flows_ += cleared.flows->size();
  live_ -= cleared.flows->size();
  touch(id);
  cleared.census = std::exchange(census_[id], {});
  cleared.armed = expiry_.disarm_all(id);
  if (evictions_[id]) cleared.eviction = std::exchange(evictions_[id], make_eviction(id));
  cleared_groups_ += cleared.groups();
  if (cleared.census.noted > 0 || effects_.limits(id)) {
    for_each(*cleared.flows, [this](Flow& flow) {
      count_noted(flow, -1);
      if (flow.instructions->trigger.count > 0) triggers_.remove(flow);
    });
  }
  // Takes its turn even if nothing is told: who was removed before is told of as long as the subtables are there.
  cleared.is_told = !silent && cleared.census.told > 0;
  auto* const removal = new Removal{nullptr, &cleared, now_ns, FlowRemovedReason::kDelete};
  if (cleared.is_told) ++unannounced_;
  versions_.first_after_publication(announce_later, this, removal);
  // Runs after what was removed before has been unlinked.
  versions_.after_publication(end_unlinking, this, &cleared);
  versions_.on_rollback(undo_clear, this, &cleared, removal);
}

void FlowTables::undo_clear(void* owner, void* undone, void* removal) {
  auto& self = *static_cast<FlowTables*>(owner);
  XVIF_ASSERT(self.cleared_.back().get() == undone);
  const std::unique_ptr<Cleared> cleared = std::move(self.cleared_.back());
  self.cleared_.pop_back();
  const std::uint8_t id = cleared->table;
  Table& table = *self.tables_[id].load(std::memory_order_relaxed);
  self.cleared_flows_ -= cleared->flows->size();
  self.cleared_groups_ -= cleared->groups();
  self.live_ += cleared->flows->size();
  if (cleared->census.noted > 0 || self.effects_.limits(id)) {
    for_each(*cleared->flows, [&self](Flow& flow) {
      self.count_noted(flow, 1);
      if (flow.instructions->trigger.count > 0) self.triggers_.add(flow, self.statistics(flow, self.now_ns_));
    });
  }
  table.undo_clear(std::move(cleared->flows));
  self.touch(id);
  self.census_[id] = cleared->census;
  self.expiry_.undo_disarm_all(id, cleared->armed);
  self.evictions_[id] = std::move(cleared->eviction);
  if (cleared->is_told) --self.unannounced_;
  delete static_cast<Removal*>(removal);
}

void FlowTables::announce_later(void* owner, void* removal) {
  auto& self = *static_cast<FlowTables*>(owner);
  const std::unique_ptr<Removal> due(static_cast<Removal*>(removal));
  if (due->flow != nullptr || due->cleared->is_told) --self.unannounced_;
  self.announcements_.push_back(*due);
}

std::size_t FlowTables::announce(std::size_t limit) {
  std::size_t looks = 0;
  const auto goes_on = [&] {
    return looks < limit && !announcements_.empty() && (sink_ == nullptr || sink_->has_room());
  };
  while (goes_on()) {
    const Removal next = announcements_.front();
    if (next.cleared != nullptr) {
      looks += announce(*next.cleared, next.when_ns, next.reason, limit - looks);
      if (!next.cleared->is_announced) break;
    } else {
      if (sink_ != nullptr) sink_->flow_removed(view(*next.flow, next.when_ns), next.reason);
      take_out(this, next.flow);
      ++looks;
    }
    announcements_.pop_front();
  }
  return looks;
}

std::size_t FlowTables::announce(Cleared& cleared, std::uint64_t when_ns, FlowRemovedReason reason, std::size_t limit) {
  std::size_t looks = 0;
  for (; cleared.at < cleared.flows->slots(); ++cleared.at, ++looks) {
    if (!cleared.is_told || sink_ == nullptr) break;
    if (looks == limit || !sink_->has_room()) return looks;
    const auto* const flow = static_cast<const Flow*>(cleared.flows->at(cleared.at));
    if (flow != nullptr && flow->has(FlowFlag::kSendFlowRem)) sink_->flow_removed(view(*flow, when_ns), reason);
  }
  end_announcing(cleared);
  return looks;
}

void FlowTables::end_announcing(Cleared& cleared) {
  if (std::exchange(cleared.is_announced, true)) return;
  cleared.at = 0;  // freeing begins where telling began
}

void FlowTables::end_unlinking(void*, void* cleared) { static_cast<Cleared*>(cleared)->is_unlinked = true; }

std::size_t FlowTables::free_cleared(std::size_t limit) {
  std::size_t looks = 0;
  while (looks < limit && !cleared_.empty()) {
    Cleared& cleared = *cleared_.front();
    if (!cleared.is_announced || !cleared.is_unlinked) break;
    for (; looks < limit && cleared.at < cleared.flows->slots(); ++cleared.at, ++looks) {
      Rule* const rule = cleared.flows->at(cleared.at);
      if (rule == nullptr) continue;
      destroy(static_cast<Flow*>(rule));
      --cleared_flows_;
    }
    while (looks < limit && cleared.flows->drop_subtable()) ++looks;
    while (looks < limit && cleared.groups() > 0) {
      cleared.eviction->drop_group();
      --cleared_groups_;
      ++looks;
    }
    if (looks < limit) cleared_.pop_front();
  }
  return looks;
}

void FlowTables::take_out(void* owner, void* flow) {
  auto& self = *static_cast<FlowTables*>(owner);
  auto& gone = *static_cast<Flow*>(flow);
  self.table_of(gone).unlink(gone);
  self.touch(gone.table);
  self.epoch_.retire(destroy_later, owner, flow);
}

void FlowTables::destroy_later(void* owner, void* flow) {
  static_cast<FlowTables*>(owner)->destroy(static_cast<Flow*>(flow));
}

}  // namespace xvif
