#include "pipeline/expiry.h"

#include <algorithm>

namespace xvif {
namespace {

/// Stale entries that may stay beside as many valid ones.
constexpr std::size_t kStaleMin = 1024;

}  // namespace

void Expiry::arm(Flow& flow, std::uint64_t at_ns) {
  if (flow.timer != 0) ++stale_;
  if (++serial_ == 0) ++serial_;
  flow.timer = serial_;
  heap_.push_back({at_ns, flow.slot, flow.timer, flow.table});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void Expiry::disarm(Flow& flow) {
  if (flow.timer == 0) return;
  flow.timer = 0;
  ++stale_;
}

void Expiry::take(std::uint64_t now_ns, const Visit& due, const Valid& valid) {
  while (!heap_.empty() && heap_.front().at_ns <= now_ns) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    if (valid(entry.table, entry.slot, entry.serial)) {
      due(entry.table, entry.slot);
    } else if (stale_ > 0) {
      --stale_;
    }
  }
  if (stale_ < kStaleMin || stale_ * 2 < heap_.size()) return;
  std::erase_if(heap_, [&](const Entry& entry) { return !valid(entry.table, entry.slot, entry.serial); });
  std::make_heap(heap_.begin(), heap_.end(), later);
  stale_ = 0;
}

}  // namespace xvif
