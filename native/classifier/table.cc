#include "classifier/table.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "classifier/subtable.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/// Subtables by descending priority, as readers visit them. Immutable.
///
/// A hash is a sum over masked words, and many masks have words in common: a term, one word under one mask, is hashed
/// once for all subtables that have it.
struct Table::Order {
  struct Term {
    std::uint8_t word;
    std::uint64_t mask;
  };
  struct Entry {
    std::int32_t max_priority;
    const Subtable* subtable;
    std::uint32_t terms_end;   // terms that this and earlier entries need
    std::uint32_t first_sum;   // its own, in `sums`
    std::uint32_t sums_count;  // 0: it hashes by itself
  };

  /// As many as are worth keeping for a batch.
  static constexpr std::size_t kTermsMax = 64;
  /// With so few subtables most packets find something in each, and share little.
  static constexpr std::size_t kFew = 3;

  void add_terms(Entry& entry);
  void hash(const Entry& entry, std::size_t& hashed, const HashKeys& keys, LookupBatch& batch,
            TermHashes& hashes) const;

  std::vector<Entry> entries;
  std::vector<Term> terms;
  std::vector<std::uint8_t> sums;  // indexes of terms
};

namespace {

constexpr std::array<std::uint64_t, 64> kZeros{};
constexpr const std::uint64_t* kNone = kZeros.data();

/// The hashes of a batch as sums of rows; in pairs, so that it makes vector instructions of any size.
void add_rows(LookupBatch& batch, const std::uint64_t* a, const std::uint64_t* b, const std::uint64_t* c,
              const std::uint64_t* d) {
  for (std::size_t i = 0; i < batch.count; ++i) batch.hash[i] = a[i] + b[i] + c[i] + d[i];
}

std::uint64_t first_places(std::size_t count) {
  return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// Smaller batches are not worth closing up.
constexpr std::size_t kCloseUpMin = 8;

/// Places whose best rule so far has a lower priority.
std::uint64_t places_below(const LookupBatch& batch, std::int32_t priority) {
  std::uint64_t places = 0;
#ifdef __SSE2__
  const __m128i limit = _mm_set1_epi32(priority);
  for (std::size_t i = 0; i < batch.count; i += 4) {
    const __m128i best = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&batch.best[i]));
    const int bits = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmplt_epi32(best, limit)));
    places |= static_cast<std::uint64_t>(bits) << i;
  }
#else
  for (std::size_t i = 0; i < batch.count; ++i) places |= std::uint64_t{batch.best[i] < priority} << i;
#endif
  return places;
}

}  // namespace

/// By term and place. Only what is needed is written.
struct Table::TermHashes {
  std::array<std::array<std::uint64_t, 64>, Order::kTermsMax> at;
};

void Table::Order::add_terms(Entry& entry) {
  entry.first_sum = static_cast<std::uint32_t>(sums.size());
  entry.sums_count = 0;
  const Subtable& subtable = *entry.subtable;
  for (std::size_t i = 0; i < subtable.words(); ++i) {
    const auto word = static_cast<std::uint8_t>(subtable.word_at(i));
    const std::uint64_t mask = subtable.mask().words[word];
    auto at = std::find_if(terms.begin(), terms.end(), [&](const Term& t) { return t.word == word && t.mask == mask; });
    if (at == terms.end()) {
      if (terms.size() == kTermsMax) break;
      at = terms.insert(terms.end(), {word, mask});
    }
    sums.push_back(static_cast<std::uint8_t>(at - terms.begin()));
    ++entry.sums_count;
  }
  if (entry.sums_count < subtable.words()) entry.sums_count = 0;
  entry.terms_end = static_cast<std::uint32_t>(terms.size());
}

void Table::Order::hash(const Entry& entry, std::size_t& hashed, const HashKeys& keys, LookupBatch& batch,
                        TermHashes& hashes) const {
  // All places, wanted or not: loops without branches are quicker than fewer rounds.
  for (; hashed < entry.terms_end; ++hashed) {
    const Term term = terms[hashed];
    std::array<std::uint64_t, 64>& row = hashes.at[hashed];
    for (std::size_t i = 0; i < batch.count; ++i) {
      row[i] = hash_word(keys, term.word, batch.keys[batch.lane[i]].words[term.word] & term.mask);
    }
  }
  const std::uint8_t* const sum = sums.data() + entry.first_sum;
  const auto row = [&](std::uint32_t t) { return hashes.at[sum[t]].data(); };
  switch (entry.sums_count) {
    case 1:
      return add_rows(batch, row(0), kNone, kNone, kNone);
    case 2:
      return add_rows(batch, row(0), row(1), kNone, kNone);
    case 3:
      return add_rows(batch, row(0), row(1), row(2), kNone);
    default:
      add_rows(batch, row(0), row(1), row(2), row(3));
  }
  for (std::uint32_t t = 4; t < entry.sums_count; ++t) add_rows(batch, batch.hash.data(), row(t), kNone, kNone);
}

Table::Table(Epoch& epoch, std::uint64_t seed) : epoch_(epoch), keys_(seed), order_(new Order) {}

Table::~Table() {
  for (auto& [hash, subtable] : subtables_) delete subtable;
  delete order_.load(std::memory_order_relaxed);
}

void Table::lookup(const FlowKey* keys, std::uint64_t lanes, std::uint64_t version, const Rule** found) const {
  LookupBatch batch;
  batch.keys = keys;
  batch.version = version;
  batch.count = 0;
  for (std::uint64_t left = lanes; left != 0; left &= left - 1) {
    batch.lane[batch.count++] = static_cast<std::uint8_t>(std::countr_zero(left));
  }
  // Whole vectors of four are looked at below; what lies behind the last place is never wanted.
  batch.best.fill(-1);
  batch.wanted = first_places(batch.count);
  for (std::size_t i = 0; i < batch.count; ++i) batch.found[i] = nullptr;

  const Order& order = *order_.load(std::memory_order_acquire);
  const bool likely = order.entries.size() <= Order::kFew;
  TermHashes hashes;
  std::size_t hashed = 0;
  const auto give = [&] {
    for (std::size_t i = 0; i < batch.count; ++i) found[batch.lane[i]] = batch.found[i];
  };
  for (const Order::Entry& entry : order.entries) {
    // Who has as good a rule as this and all later subtables can give is done.
    batch.wanted &= places_below(batch, entry.max_priority);
    if (batch.wanted == 0) break;
    if (static_cast<std::size_t>(std::popcount(batch.wanted)) * 2 <= batch.count && batch.count >= kCloseUpMin) {
      give();
      close_up(batch, hashes, hashed);
    }
    if (entry.sums_count > 0) {
      order.hash(entry, hashed, keys_, batch, hashes);
    } else {
      entry.subtable->hash(batch);
    }
    entry.subtable->lookup(batch, likely);
  }
  give();
}

void Table::close_up(LookupBatch& batch, TermHashes& hashes, std::size_t hashed) {
  std::size_t count = 0;
  std::array<std::uint8_t, 64> from;
  for (std::uint64_t left = batch.wanted; left != 0; left &= left - 1) {
    const auto i = static_cast<std::uint8_t>(std::countr_zero(left));
    from[count] = i;
    batch.lane[count] = batch.lane[i];
    batch.best[count] = batch.best[i];
    batch.found[count] = batch.found[i];
    ++count;
  }
  for (std::size_t t = 0; t < hashed; ++t) {
    for (std::size_t i = 0; i < count; ++i) hashes.at[t][i] = hashes.at[t][from[i]];
  }
  batch.count = count;
  batch.wanted = first_places(count);
}

Subtable* Table::find_subtable(const FlowKey& mask) const {
  const auto [first, last] = subtables_.equal_range(hash_of(mask));
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
  for (const auto& [hash, subtable] : subtables_) {
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
  for (const auto& [hash, subtable] : subtables_) {
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
  if (free_slots_.empty()) {
    rule.slot = slots();
    slots_.push_back(&rule);
  } else {
    rule.slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[rule.slot] = &rule;
  }
  ++size_;
}

void Table::leave_slot(Rule& rule) {
  slots_[rule.slot] = nullptr;
  free_slots_.push_back(rule.slot);
  rule.slot = Rule::kNoSlot;
  --size_;
}

void Table::insert(Rule& rule, const FlowKey& mask, std::uint64_t version) {
  Subtable* subtable = find_subtable(mask);
  if (subtable == nullptr) {
    subtable = new Subtable(epoch_, keys_, mask);
    subtables_.emplace(hash_of(mask), subtable);
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
  slots_[fresh.slot] = &fresh;
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
  slots_[old.slot] = &old;
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

void Table::drop_empty_subtables() {
  for (auto at = subtables_.begin(); at != subtables_.end();) {
    Subtable* const subtable = at->second;
    if (subtable->linked() > 0) {
      ++at;
      continue;
    }
    epoch_.retire([](void*, void* gone) { delete static_cast<Subtable*>(gone); }, nullptr, subtable);
    at = subtables_.erase(at);
  }
}

void Table::settle() {
  if (!dirty_) return;
  dirty_ = false;
  auto* const fresh = new Order;
  drop_empty_subtables();
  for (const auto& [hash, subtable] : subtables_) {
    fresh->entries.push_back({subtable->max_priority(), subtable, 0, 0, 0});
  }
  std::sort(fresh->entries.begin(), fresh->entries.end(),
            [](const Order::Entry& a, const Order::Entry& b) { return a.max_priority > b.max_priority; });
  if (fresh->entries.size() > Order::kFew) {
    for (Order::Entry& entry : fresh->entries) fresh->add_terms(entry);
  }
  const Order* const old = order_.load(std::memory_order_relaxed);
  order_.store(fresh, std::memory_order_release);
  epoch_.retire([](void*, void* order) { delete static_cast<Order*>(order); }, nullptr, const_cast<Order*>(old));
}

std::size_t Table::bytes() const {
  std::size_t bytes = sizeof *this + slots_.capacity() * sizeof(Rule*) + free_slots_.capacity() * 4;
  for (const auto& [hash, subtable] : subtables_) bytes += subtable->bytes() + 64;
  return bytes;
}

}  // namespace xvif
