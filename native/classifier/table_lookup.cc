#include <algorithm>
#include <bit>

#include "classifier/table_order.h"
#include "packet/headers.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace xvif {
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

/// Whether what is matched with this mask is about packets of the key's type.
bool concerns(const FlowKey& mask, const FlowKey& key) {
  return key.packet_type() == packet_type::kEthernet || takes_any_type(mask);
}

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

  const Order& order = order_.load(std::memory_order_acquire)->of(version);
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

const Rule* Table::lookup_typed(const FlowKey& key, std::uint64_t version) const {
  const Rule* best = nullptr;
  for (const Order::Entry& entry : order_.load(std::memory_order_acquire)->of(version).entries) {
    if (best != nullptr && entry.max_priority <= best->priority) break;
    if (!concerns(entry.subtable->mask(), key)) continue;
    for (const Rule* rule = entry.subtable->chain_for(key); rule != nullptr;
         rule = rule->next.load(std::memory_order_acquire)) {
      if (rule->visible(version) && (best == nullptr || rule->priority > best->priority)) best = rule;
    }
  }
  return best;
}

std::size_t Table::match_all(const FlowKey& key, std::uint64_t version, std::span<const Rule*> out) const {
  std::size_t count = 0;
  for (const Order::Entry& entry : order_.load(std::memory_order_acquire)->of(version).entries) {
    if (!concerns(entry.subtable->mask(), key)) continue;
    for (const Rule* rule = entry.subtable->chain_for(key); rule != nullptr;
         rule = rule->next.load(std::memory_order_acquire)) {
      if (!rule->visible(version)) continue;
      if (count == out.size()) return count;
      out[count++] = rule;
    }
  }
  return count;
}

const Rule* Table::find_visible(const FlowKey& value, const FlowKey& mask, std::uint16_t priority,
                                std::uint64_t version) const {
  for (const Order::Entry& entry : order_.load(std::memory_order_acquire)->of(version).entries) {
    if (entry.max_priority < priority) return nullptr;
    if (entry.subtable->mask() != mask) continue;
    const Rule* rule = entry.subtable->chain_for(value);
    while (rule != nullptr && (rule->priority != priority || !rule->visible(version))) {
      rule = rule->next.load(std::memory_order_acquire);
    }
    return rule;
  }
  return nullptr;
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

}  // namespace xvif
