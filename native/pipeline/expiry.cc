#include "pipeline/expiry.h"

#include <algorithm>
#include <utility>

namespace xvif {
namespace {

/// Stale entries that may stay beside as many valid ones.
constexpr std::size_t kStaleMin = 1024;

}  // namespace

void Expiry::arm(Flow& flow, std::uint64_t at_ns) {
  disarm(flow);
  if (++serial_ == 0) ++serial_;
  flow.timer = serial_;
  ++armed_[flow.table];
  push(is_compacting_ ? kept_ : heap_, {at_ns, flow.slot, flow.timer, flow.table});
}

void Expiry::disarm(Flow& flow) {
  if (flow.timer == 0) return;
  flow.timer = 0;
  --armed_[flow.table];
  ++stale_;
}

std::size_t Expiry::disarm_all(std::uint8_t table) {
  const std::size_t armed = std::exchange(armed_[table], 0);
  stale_ += armed;
  return armed;
}

void Expiry::undo_disarm_all(std::uint8_t table, std::size_t armed) {
  armed_[table] = armed;
  stale_ -= armed;
}

bool Expiry::crowded() const { return is_compacting_ || (stale_ >= kStaleMin && stale_ * 2 >= entries()); }

void Expiry::take(std::uint64_t now_ns, std::size_t limit, const Visit& due, const Valid& valid) {
  for (std::size_t left = limit; left > 0 && next_ns() <= now_ns; --left) {
    Heap& heap = first_of(heap_) <= first_of(kept_) ? heap_ : kept_;
    if (heap.empty()) break;  // at the end of time
    std::pop_heap(heap.begin(), heap.end(), later);
    const Entry entry = heap.back();
    heap.pop_back();
    if (valid(entry.table, entry.slot, entry.serial)) due(entry.table, entry.slot);
    if (stale_ > 0) --stale_;
  }
  if (crowded()) compact(limit, valid);
}

void Expiry::push(Heap& heap, const Entry& entry) {
  heap.push_back(entry);
  std::push_heap(heap.begin(), heap.end(), later);
}

void Expiry::compact(std::size_t limit, const Valid& valid) {
  is_compacting_ = true;
  for (; limit > 0 && !heap_.empty(); --limit) {
    // The last: what is left is a heap.
    const Entry entry = heap_.back();
    heap_.pop_back();
    if (valid(entry.table, entry.slot, entry.serial)) {
      push(kept_, entry);
    } else if (stale_ > 0) {
      --stale_;
    }
  }
  if (!heap_.empty()) return;
  heap_ = std::exchange(kept_, {});
  is_compacting_ = false;
}

}  // namespace xvif
