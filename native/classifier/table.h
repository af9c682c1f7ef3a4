// One flow table: finds the visible rule of highest priority that matches a key.
//
// Rules of one mask form a subtable, a hash table of their masked keys; subtables are visited by descending priority
// until none left can beat what was found. No caller depends on that: other structures may serve a table.
//
// A change has three steps. insert, replace and remove mark rules with the version in which they appear and
// disappear; settle() makes the structure ready; when the version is published, readers see it. After every reader
// of older versions is gone, the caller unlinks what was removed, and frees it one grace period later. clear() takes
// out all rules at once: readers of older versions go on with what the table was until then.
//
// Threads: lookup(), match_all(), find_visible(), match_of() any number of readers, wait-free, each between
// Epoch::quiescent() calls; all else control.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/epoch.h"
#include "classifier/hash.h"
#include "classifier/rule.h"

namespace xvif {

struct LookupBatch;

class Table {
 public:
  /// `seed`: secret, so that nobody who can cause rules to be added can make them collide.
  Table(Epoch& epoch, std::uint64_t seed);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// For each bit i in `lanes` (i < 64) sets found[i] to the rule that matches keys[i] in `version`, or nullptr.
  void lookup(const FlowKey* keys, std::uint64_t lanes, std::uint64_t version, const Rule** found) const;

  /// The same for one key that may be that of a packet without an Ethernet header, which matches on headers are not
  /// about unless they name its packet type. Costs a look at every mask of higher priority.
  const Rule* lookup_typed(const FlowKey& key, std::uint64_t version) const;

  /// All rules that match `key` in `version`, as many as `out` holds; returns how many. Costs a look at every subtable.
  std::size_t match_all(const FlowKey& key, std::uint64_t version, std::span<const Rule*> out) const;

  /// The rule with this very match and priority that a reader of `version` sees. `value` has no bit outside `mask`. Any
  /// reader; costs a comparison with every mask of the table.
  const Rule* find_visible(const FlowKey& value, const FlowKey& mask, std::uint16_t priority,
                           std::uint64_t version) const;
  /// The live rule with this very match and priority. `value` has no bit outside `mask`, here and below.
  Rule* find(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) const;
  /// A live rule of the same priority that some packet could match together with this match.
  Rule* find_overlap(const FlowKey& value, const FlowKey& mask, std::uint16_t priority) const;
  /// Visits live rules whose match is the same or more specific. The visitor may replace or remove the rule it is
  /// given, nothing else.
  void for_each(const FlowKey& value, const FlowKey& mask, const std::function<void(Rule&)>& visit) const;
  static bool is_within(const Rule& rule, const FlowKey& value, const FlowKey& mask);
  /// Unpacks the rule's match.
  static void match_of(const Rule& rule, FlowKey& value, FlowKey& mask);

  /// rule.words, rule.priority and the packed key are set; find(value, mask, priority) is nullptr.
  void insert(Rule& rule, const FlowKey& mask, std::uint64_t version);
  /// `fresh` has the same match and priority; it takes over the slot.
  void replace(Rule& old, Rule& fresh, std::uint64_t version);
  void remove(Rule& rule, std::uint64_t version);
  /// Take back an unpublished change, the latest first. Inserted (fresh) rules are unlinked at once; the caller frees
  /// them one grace period later.
  void undo_insert(Rule& rule);
  void undo_replace(Rule& old, Rule& fresh);
  void undo_remove(Rule& rule);
  /// Physically takes out a removed rule that no reader's version sees any more.
  void unlink(Rule& rule);
  /// What a table was until it was cleared.
  class Cleared;
  /// Takes out all live rules, however many they are, in the same time. They are not marked as removed. Who has them
  /// frees them when every reader of older versions is gone and what was removed before was unlinked.
  std::unique_ptr<Cleared> clear(std::uint64_t version);
  /// Takes back the clear of an unpublished batch; whatever was changed since was taken back before.
  void undo_clear(std::unique_ptr<Cleared> cleared);
  /// Before publishing, and after a run of unlink().
  void settle();

  /// Live rules.
  std::size_t size() const { return now_.size; }
  std::size_t subtables() const { return now_.subtables.size(); }
  /// Bytes of the structure itself, without the rules.
  std::size_t bytes() const;
  /// Every live rule has a slot in 0..slots()-1 which it, and what replaces it, keeps: a cursor over slots visits
  /// each rule that stays exactly once whatever else changes meanwhile.
  std::uint32_t slots() const { return static_cast<std::uint32_t>(now_.slots.size()); }
  Rule* at(std::uint32_t slot) const { return now_.slots[slot]; }

 private:
  struct Order;
  struct TermHashes;
  /// Control thread.
  struct Contents {
    std::unordered_multimap<std::uint64_t, Subtable*> subtables;  // by hash of the mask
    std::vector<Rule*> slots;                                     // nullptr: free
    std::vector<std::uint32_t> free_slots;
    std::size_t size = 0;

    std::size_t bytes() const;
  };

  /// Leaves only the places that are still wanted.
  static void close_up(LookupBatch& batch, TermHashes& hashes, std::size_t hashed);
  Subtable* find_subtable(const FlowKey& mask) const;
  void link(Rule& rule, Subtable& subtable);
  void take_slot(Rule& rule);
  void leave_slot(Rule& rule);
  void drop_empty_subtables();

  Epoch& epoch_;
  const HashKeys keys_;
  std::atomic<const Order*> order_{nullptr};  // control: rw, readers: ro
  Contents now_;
  std::uint64_t since_ = 0;       // control; version of the last clear
  const Order* older_ = nullptr;  // control; for readers of versions before it, as long as there are any
  bool owns_order_ = true;        // control; or it is older_ still
  bool dirty_ = false;            // control; order_ must be rebuilt
};

/// The rules keep their slots. Control thread.
class Table::Cleared {
 public:
  /// The rules are not its own.
  ~Cleared();
  Cleared(const Cleared&) = delete;
  Cleared& operator=(const Cleared&) = delete;

  std::size_t size() const { return was_.size; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(was_.slots.size()); }
  /// nullptr: the slot was free.
  Rule* at(std::uint32_t slot) const { return was_.slots[slot]; }
  std::size_t bytes() const { return was_.bytes(); }
  /// Frees one subtable, after the rules; false: there are no more.
  bool drop_subtable();

 private:
  friend class Table;
  Cleared(Contents&& was, const Order* order, std::uint64_t since, const Order* older)
      : was_(std::move(was)), order_(order), since_(since), older_(older) {}

  Contents was_;
  const Order* order_;  // own; nullptr: no reader ever saw these rules
  const std::uint64_t since_;
  const Order* const older_;
};

}  // namespace xvif
