#include "pipeline/effects.h"

namespace xvif {
namespace {

Effects::Family family_of(const ActionView& learn) { return {learn.learn_table(), learn.learn_cookie()}; }

bool is_limited(const ActionView& action) { return action.code() == Action::kLearn && action.learn_limit() != 0; }

}  // namespace

void Effects::bind(InstructionSet& set, const std::function<std::uint64_t(const Family&)>& size) {
  for (InstructionSet::Effect& effect : set.effects) {
    const ActionView action(effect.at);
    if (action.code() == Action::kSample) {
      const auto [at, fresh] = sampled_.try_emplace(action.collector_set());
      if (fresh) at->second.counter = counters_.allocate();
      ++at->second.users;
      effect.sampled = at->second.counter;
    } else if (is_limited(action)) {
      const auto [at, fresh] = limited_.try_emplace(family_of(action));
      if (fresh) at->second.flows.store(size(at->first), std::memory_order_relaxed);
      ++at->second.users;
      effect.learned = &at->second.flows;
    }
  }
}

void Effects::unbind(const InstructionSet& set) {
  for (const InstructionSet::Effect& effect : set.effects) {
    const ActionView action(effect.at);
    if (action.code() == Action::kSample) {
      const auto at = sampled_.find(action.collector_set());
      if (--at->second.users > 0) continue;
      if (at->second.counter != kNoCounter) counters_.release(at->second.counter);
      sampled_.erase(at);
    } else if (is_limited(action)) {
      const auto at = limited_.find(family_of(action));
      if (--at->second.users == 0) limited_.erase(at);
    }
  }
}

void Effects::count(const Flow& flow, int by) {
  const auto step = static_cast<std::uint64_t>(by);
  if (!limited_.empty()) {
    const auto at = limited_.find({flow.table, flow.cookie});
    if (at != limited_.end()) at->second.flows.fetch_add(step, std::memory_order_relaxed);
  }
  for (const InstructionSet::Effect& effect : flow.instructions->effects) {
    const ActionView action(effect.at);
    if (action.code() != Action::kLearn || !action.learn_has(LearnFlag::kDeleteLearned)) continue;
    const auto at = owned_.try_emplace(family_of(action), 0).first;
    at->second += static_cast<std::uint32_t>(by);
    if (at->second > 0) continue;
    orphans_.push_back(at->first);
    owned_.erase(at);
  }
}

bool Effects::limits(std::uint8_t table) const {
  const auto first = limited_.lower_bound({table, 0});
  return first != limited_.end() && first->first.first == table;
}

std::vector<Effects::Family> Effects::take_orphans() {
  std::vector<Family> taken;
  // One that was replaced by another of the same family has left none behind.
  for (const Family& family : std::exchange(orphans_, {})) {
    if (!owned_.contains(family)) taken.push_back(family);
  }
  return taken;
}

const std::atomic<std::uint64_t>* Effects::size(const Family& family) const {
  const auto at = limited_.find(family);
  return at == limited_.end() ? nullptr : &at->second.flows;
}

std::vector<SampleView> Effects::samples() const {
  std::vector<SampleView> views;
  for (const auto& [collector_set, sampled] : sampled_) {
    views.push_back({collector_set, sampled.counter == kNoCounter ? CountSum{} : counters_.read(sampled.counter)});
  }
  return views;
}

}  // namespace xvif
