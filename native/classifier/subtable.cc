#include "classifier/subtable.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace xvif {
namespace {

constexpr std::uint64_t kByte = 0x0101010101010101u;
constexpr std::uint64_t kHigh = 0x8080808080808080u;
/// Keys that found the bucket full and went to a later one are counted in byte 7 of its tags. A full count stays.
constexpr std::uint64_t kPassedOne = std::uint64_t{1} << 56;
constexpr std::uint64_t kPassedMax = std::uint64_t{255} << 56;
/// Bucket arrays that stay in the first-level cache need no prefetch.
constexpr std::uint32_t kCachedBuckets = 64;
/// A larger filter costs as many cache misses as it saves.
constexpr std::uint32_t kFilterBuckets = 32768;
/// Keys gone from a bucket array before its filter is made anew.
constexpr std::size_t kGoneMin = 64;
/// Buckets may be this full on average before the array doubles.
constexpr std::size_t kLoad = 5;

/// 1..255, from hash bits that do not choose the bucket.
std::uint64_t tag_of(std::uint64_t hash) { return std::max<std::uint64_t>(hash >> 56, 1); }

/// High bit of each of bytes 0..6 that equals `tag`. May have false positives above a true one, never misses one.
std::uint64_t matching(std::uint64_t tags, std::uint64_t tag) {
  const std::uint64_t x = tags ^ (tag * kByte);
  return (x - kByte) & ~x & (kHigh >> 8);
}

/// Bit of the filter word, from hash bits that choose neither bucket nor tag.
unsigned filter_shift(std::uint64_t hash) { return static_cast<unsigned>(hash >> 40) & 63; }

template <typename Visit>
void for_each_bit(std::uint64_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::size_t>(std::countr_zero(bits)));
}

const Rule* first_visible(const Rule* rule, std::uint64_t version) {
  while (rule != nullptr && !rule->visible(version)) rule = rule->next.load(std::memory_order_acquire);
  return rule;
}

}  // namespace

Subtable::Buckets::Buckets(std::uint32_t count)
    : mask(count - 1), at(new Bucket[count]), filter(new std::atomic<std::uint64_t>[count]()) {}

Subtable::Subtable(Epoch& epoch, const HashKeys& keys, const FlowKey& mask)
    : buckets_(new Buckets(1)), keys_(keys), epoch_(epoch), mask_(mask) {
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
    if (mask.words[i] == 0) continue;
    index_[words_] = static_cast<std::uint8_t>(i);
    masks_[words_] = mask.words[i];
    ++words_;
  }
}

Subtable::~Subtable() { delete buckets_.load(std::memory_order_relaxed); }

// kWords: number of words when it is small, so that loops are unrolled; 0: any number.
template <int kWords>
void Subtable::hash_words(LookupBatch& batch) const {
  const std::size_t n = kWords > 0 ? kWords : words_;
  for (std::size_t i = 0; i < batch.count; ++i) {
    const FlowKey& key = batch.keys[batch.lane[i]];
    std::uint64_t hash = 0;
    for (std::size_t w = 0; w < n; ++w) hash += hash_word(keys_, index_[w], key.words[index_[w]] & masks_[w]);
    batch.hash[i] = hash;
  }
}

void Subtable::hash(LookupBatch& batch) const {
  switch (words_) {
    case 0:
      return;
    case 1:
      return hash_words<1>(batch);
    case 2:
      return hash_words<2>(batch);
    case 3:
      return hash_words<3>(batch);
    case 4:
      return hash_words<4>(batch);
    default:
      return hash_words<0>(batch);
  }
}

template <int kWords>
inline bool Subtable::equals(const FlowKey& key, const Rule& rule) const {
  const std::size_t n = kWords > 0 ? kWords : words_;
  const std::uint64_t* const packed = rule.key();
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < n; ++i) difference |= (key.words[index_[i]] & masks_[i]) ^ packed[i];
  return difference == 0;
}

template <int kWords>
inline const Rule* Subtable::search(const Buckets& buckets, const FlowKey& key, std::uint64_t hash) const {
  const std::uint64_t tag = tag_of(hash);
  for (std::uint32_t b = static_cast<std::uint32_t>(hash) & buckets.mask, left = buckets.mask + 1; left > 0; --left) {
    const Bucket& bucket = buckets.at[b];
    const std::uint64_t tags = bucket.tags.load(std::memory_order_acquire);
    for (std::uint64_t hits = matching(tags, tag); hits != 0; hits &= hits - 1) {
      const Rule* head = bucket.heads[std::countr_zero(hits) / 8].load(std::memory_order_acquire);
      if (head != nullptr && equals<kWords>(key, *head)) return head;
    }
    if (tags < kPassedOne) return nullptr;
    b = (b + 1) & buckets.mask;
  }
  return nullptr;
}

std::uint64_t Subtable::pass_filter(const Buckets& buckets, const LookupBatch& batch) {
  const std::atomic<std::uint64_t>* const filter = buckets.filter.get();
  const std::uint32_t mask = buckets.mask;
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < batch.count; ++i) {
    const std::uint64_t hash = batch.hash[i];
    const std::uint64_t bits = filter[static_cast<std::uint32_t>(hash) & mask].load(std::memory_order_acquire);
    passed |= (bits >> filter_shift(hash) & 1) << i;
  }
  return passed & batch.wanted;
}

void Subtable::prefetch(const Buckets& buckets, const LookupBatch& batch, std::uint64_t places) const {
  for_each_bit(places, [&](std::size_t i) {
    __builtin_prefetch(&buckets.at[static_cast<std::uint32_t>(batch.hash[i]) & buckets.mask]);
  });
  // The rules themselves: what the first hit of each bucket points to.
  const std::size_t key_bytes = words_ * sizeof(std::uint64_t);
  for_each_bit(places, [&](std::size_t i) {
    const Bucket& bucket = buckets.at[static_cast<std::uint32_t>(batch.hash[i]) & buckets.mask];
    const std::uint64_t hits = matching(bucket.tags.load(std::memory_order_relaxed), tag_of(batch.hash[i]));
    if (hits == 0) return;
    const Rule* const head = bucket.heads[std::countr_zero(hits) / 8].load(std::memory_order_relaxed);
    if (head == nullptr) return;
    const char* const rule = reinterpret_cast<const char*>(head);
    __builtin_prefetch(rule - key_bytes);
    __builtin_prefetch(rule);
    __builtin_prefetch(rule + sizeof(Rule) + 16);  // where the owner's part begins
  });
}

template <int kWords>
void Subtable::lookup_words(LookupBatch& batch, bool likely) const {
  const Buckets& buckets = *buckets_.load(std::memory_order_acquire);
  const bool filters = !likely && buckets.mask < kFilterBuckets;
  const std::uint64_t places = filters ? pass_filter(buckets, batch) : batch.wanted;
  if (buckets.mask >= kCachedBuckets) prefetch(buckets, batch, places);
  for_each_bit(places, [&](std::size_t i) {
    const Rule* const chain = search<kWords>(buckets, batch.keys[batch.lane[i]], batch.hash[i]);
    if (const Rule* rule = first_visible(chain, batch.version)) batch.take(i, *rule);
  });
}

void Subtable::lookup_all(LookupBatch& batch) const {
  const Rule* const head = buckets_.load(std::memory_order_acquire)->at[0].heads[0].load(std::memory_order_acquire);
  const Rule* const rule = first_visible(head, batch.version);
  if (rule == nullptr) return;
  for (std::size_t i = 0; i < batch.count; ++i) batch.take(i, *rule);
}

void Subtable::lookup(LookupBatch& batch, bool likely) const {
  switch (words_) {
    case 0:
      return lookup_all(batch);
    case 1:
      return lookup_words<1>(batch, likely);
    case 2:
      return lookup_words<2>(batch, likely);
    case 3:
      return lookup_words<3>(batch, likely);
    case 4:
      return lookup_words<4>(batch, likely);
    default:
      return lookup_words<0>(batch, likely);
  }
}

const Rule* Subtable::chain_for(const FlowKey& key) const {
  const Buckets& buckets = *buckets_.load(std::memory_order_acquire);
  if (words_ == 0) return buckets.at[0].heads[0].load(std::memory_order_acquire);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < words_; ++i) hash += hash_word(keys_, index_[i], key.words[index_[i]] & masks_[i]);
  return search<0>(buckets, key, hash);
}

std::uint64_t Subtable::hash_packed(const std::uint64_t* packed) const {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < words_; ++i) hash += hash_word(keys_, index_[i], packed[i]);
  return hash;
}

Subtable::Place Subtable::place_of(const std::uint64_t* packed) const {
  const Buckets& buckets = *buckets_.load(std::memory_order_relaxed);
  const std::uint64_t hash = hash_packed(packed);
  std::uint32_t b = static_cast<std::uint32_t>(hash) & buckets.mask;
  for (std::uint32_t left = buckets.mask + 1; left > 0; --left) {
    Bucket& bucket = buckets.at[b];
    const std::uint64_t tags = bucket.tags.load(std::memory_order_relaxed);
    for (std::uint64_t hits = matching(tags, tag_of(hash)); hits != 0; hits &= hits - 1) {
      const std::size_t i = static_cast<std::size_t>(std::countr_zero(hits)) / 8;
      const Rule* const head = bucket.heads[i].load(std::memory_order_relaxed);
      if (head != nullptr && std::equal(packed, packed + words_, head->key())) return {&bucket, i};
    }
    if (tags < kPassedOne) break;
    b = (b + 1) & buckets.mask;
  }
  return {nullptr, 0};
}

Rule* Subtable::find(const std::uint64_t* packed) const {
  const Place place = place_of(packed);
  return place.bucket == nullptr ? nullptr : place.bucket->heads[place.head].load(std::memory_order_relaxed);
}

void Subtable::put(Buckets& buckets, Rule* head, std::uint64_t hash) {
  std::uint32_t b = static_cast<std::uint32_t>(hash) & buckets.mask;
  std::atomic<std::uint64_t>& filter = buckets.filter[b];
  filter.store(filter.load(std::memory_order_relaxed) | std::uint64_t{1} << filter_shift(hash),
               std::memory_order_release);
  for (;; b = (b + 1) & buckets.mask) {
    Bucket& bucket = buckets.at[b];
    std::uint64_t tags = bucket.tags.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kHeads; ++i) {
      if (bucket.heads[i].load(std::memory_order_relaxed) != nullptr) continue;
      tags = (tags & ~(std::uint64_t{0xff} << (8 * i))) | tag_of(hash) << (8 * i);
      bucket.heads[i].store(head, std::memory_order_release);
      bucket.tags.store(tags, std::memory_order_release);
      return;
    }
    if (tags < kPassedMax) bucket.tags.store(tags + kPassedOne, std::memory_order_release);
  }
}

void Subtable::leave(const Place& place, std::uint64_t hash) {
  --heads_;
  ++gone_;
  const Buckets& buckets = *buckets_.load(std::memory_order_relaxed);
  for (std::uint32_t b = static_cast<std::uint32_t>(hash) & buckets.mask; &buckets.at[b] != place.bucket;
       b = (b + 1) & buckets.mask) {
    const std::uint64_t tags = buckets.at[b].tags.load(std::memory_order_relaxed);
    if (tags < kPassedMax) buckets.at[b].tags.store(tags - kPassedOne, std::memory_order_release);
  }
}

void Subtable::rebuild(std::uint32_t count) {
  Buckets* const old = buckets_.load(std::memory_order_relaxed);
  auto* const fresh = new Buckets(count);
  gone_ = 0;
  for_each_chain([&](Rule* head) { put(*fresh, head, hash_packed(head->key())); });
  buckets_.store(fresh, std::memory_order_release);
  epoch_.retire([](void*, void* buckets) { delete static_cast<Buckets*>(buckets); }, nullptr, old);
}

void Subtable::link(Rule& rule) {
  rule.subtable = this;
  ++linked_;
  ++priorities_[rule.priority];
  const Place place = place_of(rule.key());
  if (place.bucket == nullptr) {
    rule.next.store(nullptr, std::memory_order_relaxed);
    const std::uint32_t buckets = buckets_.load(std::memory_order_relaxed)->mask + 1;
    if (++heads_ > buckets * kLoad) {
      rebuild(buckets * 2);
    } else if (gone_ > kGoneMin && gone_ > buckets * kLoad / 2) {
      rebuild(buckets);
    }
    put(*buckets_.load(std::memory_order_relaxed), &rule, hash_packed(rule.key()));
    return;
  }
  // Before its equals, so that a replacement is found without passing what it replaces.
  std::atomic<Rule*>* at = &place.bucket->heads[place.head];
  Rule* behind = at->load(std::memory_order_relaxed);
  while (behind != nullptr && behind->priority > rule.priority) {
    at = &behind->next;
    behind = at->load(std::memory_order_relaxed);
  }
  rule.next.store(behind, std::memory_order_relaxed);
  at->store(&rule, std::memory_order_release);
}

void Subtable::unlink(Rule& rule) {
  const Place place = place_of(rule.key());
  XVIF_ASSERT(place.bucket != nullptr);
  std::atomic<Rule*>* at = &place.bucket->heads[place.head];
  while (at->load(std::memory_order_relaxed) != &rule) at = &at->load(std::memory_order_relaxed)->next;
  at->store(rule.next.load(std::memory_order_relaxed), std::memory_order_release);
  if (place.bucket->heads[place.head].load(std::memory_order_relaxed) == nullptr) {
    leave(place, hash_packed(rule.key()));
  }
  --linked_;
  const auto count = priorities_.find(rule.priority);
  if (--count->second == 0) priorities_.erase(count);
}

std::size_t Subtable::bytes() const {
  return sizeof *this + (buckets_.load(std::memory_order_relaxed)->mask + std::size_t{1}) * (sizeof(Bucket) + 8) +
         priorities_.size() * 48;
}

}  // namespace xvif
