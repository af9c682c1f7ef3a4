#include "classifier/table.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "classifier/subtable.h"
#include "classifier/table_order.h"

namespace xvif {
namespace {

std::uint64_t hash_of(const FlowKey& mask) {
  std::uint64_t hash = 0;
  for (std::uint64_t word : mask.words) hash = mix64(hash ^ word);
  return hash;
}

/// Every bit of `less` is in `more`.
bool is_subset(const FlowKey& less, const FlowKey& more) {
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
    if ((less.words[i] & ~more.words[i]) != 0) return false;
  }
  return true;
}

/// The rule agrees with `value` in every bit of `mask` that both look at.
bool agrees(const Rule& rule, const FlowKey& value, const FlowKey& mask) {
  const std::uint64_t* const key = rule.key();
  const Subtable& subtable = *rule.subtable;
  for (std::size_t i = 0; i < rule.words; ++i) {
    const std::size_t at = subtable.word_at(i);
    if (((key[i] ^ value.words[at]) & mask.words[at] & subtable.mask().words[at]) != 0) return false;
  }
  return true;
}

Rule* first_live(Rule* chain, std::uint16_t priority) {
  for (Rule* rule = chain; rule != nullptr && rule->priority >= priority;
       rule = rule->next.load(std::memory_order_relaxed)) {
    if (rule->priority == priority && rule->live()) return rule;
  }
  return nullptr;
}

}  // namespace

Table::Table(Epoch& epoch, std::uint64_t seed) : epoch_(epoch), keys_(seed), order_(new Order) {}

Table::~Table() {
  for (auto& [hash, subtable] : now_.subtables) delete subtable;
  if (owns_order_) delete order_.load(std::memory_order_relaxed);
}

Subtable* Table::find_subtable(const FlowKey& mask) const {
  const auto [first, last] = now_.subtables.equal_range(hash_of(mask));
  for (auto at = first; at != last; ++at) {
    if (at->second->mask() == mask) return at->second;
  }
  return nullptr;
}

Rule* Table::find(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) const {
  const Subtable* subtable = find_subtable(mask);
  if (subtable == nullptr) return nullptr;
  std::array<std::uint64_t, kFlowKeyWords> packed;
  pack(value, mask, packed.data());
  return first_live(subtable->find(packed.data()), priority);
}

Rule* Table::find_overlap(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) const {
  for (const auto& [hash, subtable] : now_.subtables) {
    if (!subtable->has_priority(priority)) continue;
    Rule* hit = nullptr;
    if (is_subset(subtable->mask(), mask)) {
      std::array<std::uint64_t, kFlowKeyWords> packed;
      pack(value, subtable->mask(), packed.data());
      hit = first_live(subtable->find(packed.data()), priority);
    } else {
      subtable->for_each_chain([&](Rule* chain) {
        if (hit == nullptr && agrees(*chain, value, mask)) hit = first_live(chain, priority);
      });
    }
    if (hit != nullptr) return hit;
  }
  return nullptr;
}

void Table::for_each(const FlowKey& value, const FlowKey& mask, const std::function<void(Rule&)>& visit) const {
  const auto visit_chain = [&](Rule* chain) {
    for (Rule* rule = chain; rule != nullptr;) {
      Rule* const next = rule->next.load(std::memory_order_relaxed);
      if (rule->live()) visit(*rule);
      rule = next;
    }
  };
  for (const auto& [hash, subtable] : now_.subtables) {
    if (!is_subset(mask, subtable->mask())) continue;
    if (subtable->mask() == mask) {
      std::array<std::uint64_t, kFlowKeyWords> packed;
      pack(value, mask, packed.data());
      visit_chain(subtable->find(packed.data()));
    } else {
      subtable->for_each_chain([&](Rule* chain) {
        if (agrees(*chain, value, mask)) visit_chain(chain);
      });
    }
  }
}

bool Table::is_within(const Rule& rule, const FlowKey& value, const FlowKey& mask) {
  return is_subset(mask, rule.subtable->mask()) && agrees(rule, value, mask);
}

void Table::match_of(const Rule& rule, FlowKey& value, FlowKey& mask) {
  mask = rule.subtable->mask();
  value = FlowKey{};
  for (std::size_t i = 0; i < rule.words; ++i) value.words[rule.subtable->word_at(i)] = rule.key()[i];
}

void Table::link(Rule& rule, Subtable& subtable) {
  const std::int32_t before = subtable.max_priority();
  subtable.link(rule);
  dirty_ |= subtable.max_priority() != before;
}

void Table::take_slot(Rule& rule) {
  if (now_.free_slots.empty()) {
    rule.slot = slots();
    now_.slots.push_back(&rule);
  } else {
    rule.slot = now_.free_slots.back();
    now_.free_slots.pop_back();
    now_.slots[rule.slot] = &rule;
  }
  ++now_.size;
}

void Table::leave_slot(Rule& rule) {
  now_.slots[rule.slot] = nullptr;
  now_.free_slots.push_back(rule.slot);
  rule.slot = Rule::kNoSlot;
  --now_.size;
}

void Table::insert(Rule& rule, const FlowKey& mask, std::uint64_t version) {
  Subtable* subtable = find_subtable(mask);
  if (subtable == nullptr) {
    subtable = new Subtable(epoch_, keys_, mask);
    now_.subtables.emplace(hash_of(mask), subtable);
  }
  XVIF_ASSERT(rule.words == subtable->words());
  rule.added.store(version, std::memory_order_relaxed);
  rule.removed.store(Rule::kNever, std::memory_order_relaxed);
  link(rule, *subtable);
  take_slot(rule);
}

void Table::replace(Rule& old, Rule& fresh, std::uint64_t version) {
  fresh.added.store(version, std::memory_order_relaxed);
  fresh.removed.store(Rule::kNever, std::memory_order_relaxed);
  link(fresh, *old.subtable);
  old.removed.store(version, std::memory_order_relaxed);
  fresh.slot = old.slot;
  old.slot = Rule::kNoSlot;
  now_.slots[fresh.slot] = &fresh;
}

void Table::remove(Rule& rule, std::uint64_t version) {
  rule.removed.store(version, std::memory_order_relaxed);
  leave_slot(rule);
}

void Table::undo_insert(Rule& rule) {
  rule.removed.store(0, std::memory_order_relaxed);
  leave_slot(rule);
  unlink(rule);
}

void Table::undo_replace(Rule& old, Rule& fresh) {
  old.removed.store(Rule::kNever, std::memory_order_relaxed);
  fresh.removed.store(0, std::memory_order_relaxed);
  old.slot = fresh.slot;
  fresh.slot = Rule::kNoSlot;
  now_.slots[old.slot] = &old;
  unlink(fresh);
}

void Table::undo_remove(Rule& rule) {
  rule.removed.store(Rule::kNever, std::memory_order_relaxed);
  take_slot(rule);
}

void Table::unlink(Rule& rule) {
  Subtable& subtable = *rule.subtable;
  const std::int32_t before = subtable.max_priority();
  subtable.unlink(rule);
  dirty_ |= subtable.max_priority() != before;
}

std::unique_ptr<Table::Cleared> Table::clear(std::uint64_t version) {
  // Cleared before in the same batch: nobody will have seen what came between.
  const bool seen = since_ != version;
  const Order* const order = order_.load(std::memory_order_relaxed);
  std::unique_ptr<Cleared> cleared(new Cleared(std::exchange(now_, {}), seen ? order : nullptr, since_, older_));
  if (seen) {
    since_ = version;
    older_ = order;
    owns_order_ = false;
  }
  dirty_ = true;
  return cleared;
}

void Table::undo_clear(std::unique_ptr<Cleared> cleared) {
  XVIF_ASSERT(now_.size == 0);
  // No reader has seen them, as settle() was not called.
  for (auto& [hash, subtable] : now_.subtables) delete subtable;
  now_ = std::move(cleared->was_);
  cleared->was_ = {};
  since_ = cleared->since_;
  older_ = cleared->older_;
  if (std::exchange(cleared->order_, nullptr) != nullptr) owns_order_ = true;
  dirty_ = true;
}

Table::Cleared::~Cleared() {
  while (drop_subtable()) {
  }
  delete order_;
}

bool Table::Cleared::drop_subtable() {
  if (was_.subtables.empty()) return false;
  const auto first = was_.subtables.begin();
  delete first->second;
  was_.subtables.erase(first);
  return true;
}

void Table::drop_empty_subtables() {
  for (auto at = now_.subtables.begin(); at != now_.subtables.end();) {
    Subtable* const subtable = at->second;
    if (subtable->linked() > 0) {
      ++at;
      continue;
    }
    epoch_.retire([](void*, void* gone) { delete static_cast<Subtable*>(gone); }, nullptr, subtable);
    at = now_.subtables.erase(at);
  }
}

void Table::settle() {
  if (!dirty_) return;
  dirty_ = false;
  auto* const fresh = new Order;
  fresh->since = since_;
  fresh->older = older_;
  drop_empty_subtables();
  for (const auto& [hash, subtable] : now_.subtables) {
    fresh->entries.push_back({subtable->max_priority(), subtable, 0, 0, 0});
  }
  std::sort(fresh->entries.begin(), fresh->entries.end(),
            [](const Order::Entry& a, const Order::Entry& b) { return a.max_priority > b.max_priority; });
  if (fresh->entries.size() > Order::kFew) {
    for (Order::Entry& entry : fresh->entries) fresh->add_terms(entry);
  }
  const Order* const old = order_.load(std::memory_order_relaxed);
  order_.store(fresh, std::memory_order_release);
  if (!std::exchange(owns_order_, true)) return;
  epoch_.retire([](void*, void* order) { delete static_cast<Order*>(order); }, nullptr, const_cast<Order*>(old));
}

std::size_t Table::bytes() const { return sizeof *this + now_.bytes(); }

std::size_t Table::Contents::bytes() const {
  std::size_t bytes = slots.capacity() * sizeof(Rule*) + free_slots.capacity() * sizeof(std::uint32_t);
  for (const auto& [hash, subtable] : subtables) bytes += subtable->bytes() + 64;
  return bytes;
}

}  // namespace xvif
