#include "pipeline/eviction.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"

namespace xvif {
namespace {

/// Stale entries of a group that may stay beside as many valid ones.
constexpr std::size_t kStaleMin = 16;

}  // namespace

bool Eviction::Place::operator<(const Place& other) const {
  return std::tie(other.flows, lowest, group) < std::tie(flows, other.lowest, other.group);
}

void Eviction::add(Flow& flow) {
  if (++serial_ == 0) ++serial_;
  flow.eviction = serial_;
  const std::uint64_t id = group_(flow);
  const EvictionRank rank = rank_(flow);
  const auto [at, fresh] = groups_.try_emplace(id);
  Group& group = at->second;
  group.heap.push_back({rank, flow.slot, serial_});
  std::push_heap(group.heap.begin(), group.heap.end(), later);
  if (fresh) {
    group.place = {1, rank, id};
    order_.insert(group.place);
  } else {
    move(group, {group.place.flows + 1, std::min(group.place.lowest, rank), id});
  }
}

void Eviction::remove(Flow& flow) {
  if (flow.eviction == 0) return;
  flow.eviction = 0;
  const auto at = groups_.find(group_(flow));
  XVIF_ASSERT(at != groups_.end());
  Group& group = at->second;
  if (group.place.flows == 1) {
    order_.erase(group.place);
    groups_.erase(at);
    return;
  }
  move(group, {group.place.flows - 1, group.place.lowest, group.place.group});
  drop_stale(group);
}

void Eviction::drop_group() {
  order_.erase(order_.begin());
  groups_.erase(groups_.begin());
}

void Eviction::move(Group& group, const Place& place) {
  auto node = order_.extract(group.place);
  node.value() = group.place = place;
  order_.insert(std::move(node));
}

Flow* Eviction::flow_of(const Entry& entry) const {
  Flow* const flow = at_(entry.slot);
  return flow != nullptr && flow->eviction == entry.serial ? flow : nullptr;
}

Eviction::Candidate Eviction::lowest_of(Group& group, unsigned& looks) {
  std::vector<Entry>& heap = group.heap;
  Candidate best{nullptr, {}};
  for (;;) {
    const Entry first = heap.front();
    Flow* const flow = flow_of(first);
    if (flow == nullptr) {
      std::pop_heap(heap.begin(), heap.end(), later);
      heap.pop_back();
      continue;
    }
    const EvictionRank now = rank_(*flow);
    if (best.flow == nullptr || now < best.rank) best = {flow, now};
    if (now == first.rank || looks == 0) return best;
    --looks;
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.back().rank = now;
    std::push_heap(heap.begin(), heap.end(), later);
  }
}

Flow* Eviction::lowest() {
  if (order_.empty()) return nullptr;
  const std::size_t flows = order_.begin()->flows;
  Candidate best{nullptr, {}};
  for (unsigned looks = kEvictionLooks;;) {
    const Place first = *order_.begin();
    Group& group = groups_.find(first.group)->second;
    const Candidate found = lowest_of(group, looks);
    if (best.flow == nullptr || found.rank < best.rank) best = found;
    if (found.rank == first.lowest || looks == 0) return best.flow;
    --looks;
    move(group, {flows, group.heap.front().rank, first.group});
  }
}

void Eviction::drop_stale(Group& group) {
  std::vector<Entry>& heap = group.heap;
  const std::size_t stale = heap.size() - group.place.flows;
  if (stale < kStaleMin || stale < group.place.flows) return;
  std::erase_if(heap, [this](const Entry& entry) { return flow_of(entry) == nullptr; });
  std::make_heap(heap.begin(), heap.end(), later);
}

}  // namespace xvif
