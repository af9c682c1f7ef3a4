#include "pipeline/stat_triggers.h"

#include "pipeline/flow.h"

namespace xvif {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};

bool has(const StatTrigger& trigger, StatTriggerFlag flag) {
  return (trigger.flags & static_cast<unsigned>(flag)) != 0;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a > kNever - b ? kNever : a + b; }

/// The first multiple of `threshold` above `value`.
std::uint64_t multiple_above(std::uint64_t value, std::uint64_t threshold) {
  return sum(value - value % threshold, threshold);
}

}  // namespace

std::uint64_t FlowStatistics::of(Stat stat) const {
  switch (stat) {
    case Stat::kDuration:
      return duration;
    case Stat::kIdleTime:
      return idle;
    case Stat::kPacketCount:
      return packets;
    case Stat::kByteCount:
      return bytes;
  }
  return 0;
}

void StatTriggers::add(const Flow& flow, const FlowStatistics& now) {
  const StatTrigger& trigger = flow.instructions->trigger;
  Watch watch{.flow = &flow, .next = {}, .idle = now.idle, .done = false};
  for (std::size_t i = 0; i < trigger.count; ++i) {
    const std::uint64_t value = now.of(trigger.stats[i]);
    const bool ahead = value < trigger.values[i];
    watch.next[i] =
        ahead || has(trigger, StatTriggerFlag::kPeriodic) ? multiple_above(value, trigger.values[i]) : kNever;
  }
  if (const auto before = removed_.find(&flow); before != removed_.end()) {
    watch = before->second;
    removed_.erase(before);
  }
  places_[&flow] = watches_.size();
  watches_.push_back(watch);
}

void StatTriggers::remove(const Flow& flow) {
  const auto found = places_.find(&flow);
  if (found == places_.end()) return;
  const std::size_t place = found->second;
  places_.erase(found);
  removed_.insert_or_assign(&flow, watches_[place]);
  if (place + 1 != watches_.size()) {
    watches_[place] = watches_.back();
    places_[watches_[place].flow] = place;
  }
  watches_.pop_back();
}

bool StatTriggers::passes(Watch& watch, const StatTrigger& trigger, const FlowStatistics& now) {
  if (watch.done) return false;
  const bool periodic = has(trigger, StatTriggerFlag::kPeriodic);
  bool passed = false;
  for (std::size_t i = 0; i < trigger.count; ++i) {
    const std::uint64_t value = now.of(trigger.stats[i]);
    // A packet came: idling begins anew.
    if (trigger.stats[i] == Stat::kIdleTime && value < watch.idle) watch.next[i] = trigger.values[i];
    if (value < watch.next[i]) continue;
    passed = true;
    watch.next[i] = periodic ? multiple_above(value, trigger.values[i]) : kNever;
  }
  watch.idle = now.idle;
  if (!passed || !has(trigger, StatTriggerFlag::kOnlyFirst)) return passed;
  // Whichever comes first counts; the others wait for the next round, of which there is one if it is periodic.
  watch.done = !periodic;
  for (std::size_t i = 0; i < trigger.count; ++i) watch.next[i] = sum(now.of(trigger.stats[i]), trigger.values[i]);
  return true;
}

void StatTriggers::look(const std::function<FlowStatistics(const Flow&)>& statistics,
                        const std::function<void(const Flow&)>& told) {
  std::size_t events = 0;
  for (std::size_t looked = 0; looked < watches_.size() && events < kTriggersToldMax; ++looked) {
    turn_ = turn_ + 1 < watches_.size() ? turn_ + 1 : 0;
    Watch& watch = watches_[turn_];
    const Flow& flow = *watch.flow;
    if (!passes(watch, flow.instructions->trigger, statistics(flow))) continue;
    ++events;
    told(flow);
  }
}

}  // namespace xvif
