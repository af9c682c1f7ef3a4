// The rules of one mask, hashed by their masked key. Rules of one key form a chain by descending priority.
//
// A bucket is one cache line: seven chain heads, a byte of hash for each, and a count of the keys that had
// to go to a later bucket. Heads never move within a bucket array, so a reader finds a rule that was there when
// it began; growing builds a new array and publishes its address.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "base/epoch.h"
#include "classifier/hash.h"
#include "classifier/rule.h"

namespace xvif {

/// The packets of a lookup, by place 0..count-1.
struct LookupBatch {
  const FlowKey* keys;
  std::uint64_t version;
  std::size_t count;
  std::uint64_t wanted;               // bits of places that still look for a better rule
  std::array<std::uint8_t, 64> lane;  // index of the key
  std::array<const Rule*, 64> found;
  std::array<std::int32_t, 64> best;  // priority found so far, -1 none
  std::array<std::uint64_t, 64> hash;

  void take(std::size_t place, const Rule& rule) {
    if (rule.priority <= best[place]) return;
    found[place] = &rule;
    best[place] = rule.priority;
  }
};

class Subtable {
 public:
  Subtable(Epoch& epoch, const HashKeys& keys, const FlowKey& mask);
  ~Subtable();
  Subtable(const Subtable&) = delete;
  Subtable& operator=(const Subtable&) = delete;

  /// Fills in the hashes of all places: sums of hash_word() over the words of the mask.
  void hash(LookupBatch& batch) const;
  /// With hashes. `likely`: most packets will find something here.
  void lookup(LookupBatch& batch, bool likely) const;

  /// Of one key: the chain of rules that match it, or nullptr; some may not be visible.
  const Rule* chain_for(const FlowKey& key) const;

  /// Control thread, all below. Chain head of rules with this packed key, or nullptr.
  Rule* find(const std::uint64_t* packed) const;
  void link(Rule& rule);
  void unlink(Rule& rule);
  template <typename Visit>
  void for_each_chain(Visit visit) const {
    const Buckets& buckets = *buckets_.load(std::memory_order_relaxed);
    for (std::uint32_t b = 0; b <= buckets.mask; ++b) {
      for (auto& head : buckets.at[b].heads) {
        if (Rule* rule = head.load(std::memory_order_relaxed)) visit(rule);
      }
    }
  }

  const FlowKey& mask() const { return mask_; }
  std::size_t words() const { return words_; }
  std::size_t word_at(std::size_t i) const { return index_[i]; }
  /// Rules linked, removed ones included.
  std::size_t linked() const { return linked_; }
  std::int32_t max_priority() const { return priorities_.empty() ? -1 : priorities_.rbegin()->first; }
  bool has_priority(std::uint16_t priority) const { return priorities_.contains(priority); }
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kHeads = 7;
  struct alignas(64) Bucket {
    /// Bytes 0..6: hash byte of each head, 0 when it never had one; byte 7: keys that had to go to a later bucket.
    std::atomic<std::uint64_t> tags{0};
    std::array<std::atomic<Rule*>, kHeads> heads{};
  };
  struct Buckets {
    explicit Buckets(std::uint32_t count);
    std::uint32_t mask;  // count - 1, count a power of two
    std::unique_ptr<Bucket[]> at;
    /// For each bucket, the hashes of the keys that belong there as bits of a word: says that a key is absent without
    /// a look at the bucket. Bits of keys that went stay until the array is made anew. Control: rw, readers: ro.
    std::unique_ptr<std::atomic<std::uint64_t>[]> filter;
  };
  struct Place {
    Bucket* bucket;
    std::size_t head;
  };

  template <int kWords>
  void hash_words(LookupBatch& batch) const;
  template <int kWords>
  void lookup_words(LookupBatch& batch, bool likely) const;
  template <int kWords>
  bool equals(const FlowKey& key, const Rule& rule) const;
  template <int kWords>
  const Rule* search(const Buckets& buckets, const FlowKey& key, std::uint64_t hash) const;
  void lookup_all(LookupBatch& batch) const;
  static std::uint64_t pass_filter(const Buckets& buckets, const LookupBatch& batch);
  void prefetch(const Buckets& buckets, const LookupBatch& batch, std::uint64_t places) const;

  std::uint64_t hash_packed(const std::uint64_t* packed) const;
  Place place_of(const std::uint64_t* packed) const;
  static void put(Buckets& buckets, Rule* head, std::uint64_t hash);
  /// The chain at `place` is gone.
  void leave(const Place& place, std::uint64_t hash);
  void rebuild(std::uint32_t count);

  // Read by every lookup.
  std::atomic<Buckets*> buckets_;                   // control: rw, readers: ro
  std::uint32_t words_ = 0;                         // immutable, as the next ones
  std::array<std::uint8_t, kFlowKeyWords> index_;   // of the words with a bit in the mask
  std::array<std::uint64_t, kFlowKeyWords> masks_;  // of these words
  const HashKeys& keys_;

  // Control thread only.
  Epoch& epoch_;
  FlowKey mask_;
  std::size_t linked_ = 0;
  std::size_t heads_ = 0;
  std::size_t gone_ = 0;                               // heads that left their bits in the filter
  std::map<std::uint16_t, std::uint32_t> priorities_;  // rules of each
};

}  // namespace xvif
