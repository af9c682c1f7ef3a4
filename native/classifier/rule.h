// A rule: a masked flow key, a priority and the versions in which it is visible. What it does with a packet is the
// business of the type derived from it.
//
// Threads: the control thread writes; readers follow `next` and read the rest. A rule lives until every reader that
// could hold it was quiescent (base/epoch.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "packet/flow_key.h"

namespace xvif {

class Subtable;

/// The key words that the mask touches, already masked, lie directly before the rule in memory: lookups compare them
/// and read the rule from the same cache lines, and a rule pays only for the words its mask has.
struct Rule {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};

  std::atomic<std::uint64_t> added{kNever};    // control: rw, readers: ro
  std::atomic<std::uint64_t> removed{kNever};  // control: rw, readers: ro
  std::atomic<Rule*> next{nullptr};            // same key, same or lower priority. control: rw, readers: ro
  Subtable* subtable = nullptr;                // control
  std::uint32_t slot = kNoSlot;                // control; Table::at()
  std::uint16_t priority = 0;                  // immutable
  std::uint8_t words = 0;                      // immutable; packed key words
  std::uint8_t table = 0;                      // immutable; the owner's

  const std::uint64_t* key() const { return reinterpret_cast<const std::uint64_t*>(this) - words; }
  bool visible(std::uint64_t version) const {
    return added.load(std::memory_order_relaxed) <= version && version < removed.load(std::memory_order_relaxed);
  }
  /// Not removed, as the control thread sees it within an unpublished batch.
  bool live() const { return removed.load(std::memory_order_relaxed) == kNever; }
};

/// Key words with a bit in the mask.
std::size_t packed_words(const FlowKey& mask);
/// Writes value & mask of these words.
void pack(const FlowKey& value, const FlowKey& mask, std::uint64_t* out);

}  // namespace xvif
