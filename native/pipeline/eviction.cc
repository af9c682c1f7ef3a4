#include "pipeline/eviction.h"

#include <algorithm>

namespace xvif {
namespace {

/// Stale entries that may stay beside as many valid ones.
constexpr std::size_t kStaleMin = 1024;

}  // namespace

void Eviction::add(Flow& flow) {
  if (++serial_ == 0) ++serial_;
  flow.eviction = serial_;
  heap_.push_back({rank_(flow), flow.slot, serial_});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void Eviction::remove(Flow& flow) {
  if (flow.eviction == 0) return;
  flow.eviction = 0;
  ++stale_;
  drop_stale();
}

Flow* Eviction::flow_of(const Entry& entry) const {
  Flow* const flow = at_(entry.slot);
  return flow != nullptr && flow->eviction == entry.serial ? flow : nullptr;
}

Flow* Eviction::lowest() {
  while (!heap_.empty()) {
    const Entry first = heap_.front();
    Flow* const flow = flow_of(first);
    if (flow != nullptr && rank_(*flow) == first.rank) return flow;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    if (flow == nullptr) {
      heap_.pop_back();
      if (stale_ > 0) --stale_;
    } else {
      heap_.back().rank = rank_(*flow);
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
  }
  return nullptr;
}

void Eviction::drop_stale() {
  if (stale_ < kStaleMin || stale_ * 2 < heap_.size()) return;
  std::erase_if(heap_, [this](const Entry& entry) { return flow_of(entry) == nullptr; });
  std::make_heap(heap_.begin(), heap_.end(), later);
  stale_ = 0;
}

}  // namespace xvif
