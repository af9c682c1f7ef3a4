// What a lookup goes through, for the parts of Table only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "classifier/subtable.h"
#include "classifier/table.h"

namespace xvif {

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

  /// What a reader of `version` looks at: this, or what was there before the table was cleared.
  const Order& of(std::uint64_t version) const {
    const Order* order = this;
    while (version < order->since) order = order->older;
    return *order;
  }
  void add_terms(Entry& entry);
  void hash(const Entry& entry, std::size_t& hashed, const HashKeys& keys, LookupBatch& batch,
            TermHashes& hashes) const;

  std::vector<Entry> entries;
  std::vector<Term> terms;
  std::vector<std::uint8_t> sums;  // indexes of terms
  std::uint64_t since = 0;         // version in which the table was cleared last
  const Order* older = nullptr;    // for readers of versions before that
};

/// By term and place. Only what is needed is written.
struct Table::TermHashes {
  std::array<std::array<std::uint64_t, 64>, Order::kTermsMax> at;
};

}  // namespace xvif
