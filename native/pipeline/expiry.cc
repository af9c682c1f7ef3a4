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
  heap_.push_back({at_ns, flow.slot, flow.timer, flow.table});
  std::push_heap(heap_.begin(), heap_.end(), later);
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

bool Expiry::crowded() const { return stale_ >= kStaleMin && stale_ * 2 >= heap_.size(); }

void Expiry::take(std::uint64_t now_ns, std::size_t limit, const Visit& due, const Valid& valid) {
  for (; limit > 0 && !heap_.empty() && heap_.front().at_ns <= now_ns; --limit) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    if (valid(entry.table, entry.slot, entry.serial)) due(entry.table, entry.slot);
    if (stale_ > 0) --stale_;
  }
  if (!crowded()) return;
  std::erase_if(heap_, [&](const Entry& entry) { return !valid(entry.table, entry.slot, entry.serial); });
  heap_.shrink_to_fit();
  std::make_heap(heap_.begin(), heap_.end(), later);
  stale_ = 0;
}

}  // namespace xvif
