// Reading the flow tables out.
#include "pipeline/flow_tables.h"

#include <algorithm>

namespace xvif {

bool Flow::passes(std::uint64_t filter_cookie, std::uint64_t cookie_mask, std::uint32_t out_port,
                  std::uint32_t out_group) const {
  if (((cookie ^ filter_cookie) & cookie_mask) != 0) return false;
  if (out_port != static_cast<std::uint32_t>(ReservedPort::kAny) && !instructions->outputs_to(out_port)) return false;
  return out_group == kGroupAny || instructions->outputs_to_group(out_group);
}

Flow::Timeouts Flow::timeouts() const {
  auto& self = const_cast<Flow&>(*this);
  return {std::atomic_ref(self.idle_timeout).load(std::memory_order_relaxed),
          std::atomic_ref(self.hard_timeout).load(std::memory_order_relaxed)};
}

bool Flow::shorten(std::uint16_t idle, std::uint16_t hard) {
  const auto shorter = [](std::uint16_t& timeout, std::uint16_t most) {
    if (most == 0 || (timeout != 0 && timeout <= most)) return false;
    std::atomic_ref(timeout).store(most, std::memory_order_relaxed);
    return true;
  };
  const bool one = shorter(idle_timeout, idle);
  return shorter(hard_timeout, hard) || one;
}

void Flow::refresh(std::uint64_t now_ns) const {
  // A step is short enough for timeouts of seconds, and long enough not to share the cache line with every packet.
  if (now_ns < created_ns) return;
  const auto age = static_cast<std::uint32_t>((now_ns - created_ns) / kRefreshStepNs);
  if (age > refreshed.load(std::memory_order_relaxed)) refreshed.store(age, std::memory_order_relaxed);
}

FlowView FlowTables::view(const Flow& flow, std::uint64_t now_ns) const {
  const CountSum count = counters_.read(flow.counter);
  FlowView view{.flow = flow,
                .packets = flow.has(FlowFlag::kNoPktCounts) ? 0 : count.packets,
                .bytes = flow.has(FlowFlag::kNoBytCounts) ? 0 : count.bytes,
                .duration_ns = now_ns - flow.created_ns,
                .idle_ns = now_ns - std::min(now_ns, std::max(flow.created_ns, count.used_ns)),
                .unchanged_ns = now_ns - std::min(now_ns, flow.changed_ns),
                .value = {},
                .mask = {}};
  Table::match_of(flow, view.value, view.mask);
  return view;
}

// The cursor is the table in its upper half and the slot in its lower.
bool FlowTables::read(const FlowFilter& filter, std::uint64_t now_ns, std::uint64_t& cursor,
                      const std::function<bool(const FlowView&)>& visit) const {
  const std::size_t end = filter.table == kAllTables ? kTables : filter.table + std::size_t{1};
  const std::size_t start = filter.table == kAllTables ? 0 : filter.table;
  std::size_t id = std::max<std::size_t>(start, cursor >> 32);
  auto slot = id == cursor >> 32 ? static_cast<std::uint32_t>(cursor) : 0;
  for (; id < end && id < kTables; ++id, slot = 0) {
    const Table* const table = tables_[id].load(std::memory_order_relaxed);
    for (; table != nullptr && slot < table->slots(); ++slot) {
      const auto* const flow = static_cast<const Flow*>(table->at(slot));
      if (flow == nullptr || !Table::is_within(*flow, filter.value, filter.mask)) continue;
      if (flow->added.load(std::memory_order_relaxed) <= filter.since) continue;
      if (!flow->passes(filter.cookie, filter.cookie_mask, filter.out_port, filter.out_group)) continue;
      if (visit(view(*flow, now_ns))) continue;
      cursor = static_cast<std::uint64_t>(id) << 32 | slot;
      return false;
    }
  }
  return true;
}

std::size_t FlowTables::size(std::size_t id) const {
  const Table* const table = tables_[id].load(std::memory_order_relaxed);
  return table == nullptr ? 0 : table->size();
}

std::size_t FlowTables::subtables() const {
  std::size_t count = 0;
  for (const auto& table : tables_) {
    if (const Table* at = table.load(std::memory_order_relaxed)) count += at->subtables();
  }
  return count;
}

std::size_t FlowTables::bytes() const {
  std::size_t bytes = arena_.bytes() + instructions_.bytes();
  for (const auto& table : tables_) {
    if (const Table* at = table.load(std::memory_order_relaxed)) bytes += at->bytes();
  }
  return bytes;
}

}  // namespace xvif
