// The flow tables of a switch and what flow_mods mean for them (OpenFlow 1.3.5 section 6.4).
//
// Threads: table() and the flows found in it any data plane thread; all else control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "pipeline/counters.h"
#include "pipeline/effects.h"
#include "pipeline/eviction.h"
#include "pipeline/expiry.h"
#include "pipeline/flow.h"
#include "pipeline/flow_arena.h"
#include "pipeline/flow_request.h"
#include "pipeline/group_table.h"
#include "pipeline/instructions.h"
#include "pipeline/meter_table.h"
#include "pipeline/mods.h"
#include "pipeline/stat_triggers.h"
#include "pipeline/versions.h"

namespace xvif {

class FlowTables {
 public:
  FlowTables(Epoch& epoch, Versions& versions, Counters& counters, GroupTable& groups, MeterTable& meters,
             std::uint64_t seed);
  /// No reader is left, and the epoch was drained.
  ~FlowTables();
  FlowTables(const FlowTables&) = delete;
  FlowTables& operator=(const FlowTables&) = delete;

  /// nullptr: a table that never had a flow.
  const Table* table(std::size_t id) const { return tables_[id].load(std::memory_order_acquire); }

  /// The flow that a packet takes whose flow of highest priority is a part of conjunctions (ovs-fields(7), conjunctive
  /// match): the one that names a conjunction of which every clause matches, or else the best without; nullptr none.
  const Flow* resolve_conjunctions(std::size_t id, const FlowKey& key, std::uint64_t version) const;
  /// The table may have flows that are parts of conjunctions.
  bool has_conjunctions(std::size_t id) const { return conjunctive_[id].load(std::memory_order_relaxed); }

  /// Within a batch. Anything but kOk changed nothing.
  Status apply(const FlowMod& mod, std::uint64_t now_ns);
  /// Within a batch: what a data plane thread asks for. False: a limit does not allow it, or there is no room.
  bool carry_out(const FlowRequest& request, std::span<const std::uint8_t> instructions, std::uint64_t now_ns);
  /// Within a batch: removes every flow that uses it.
  void delete_users_of_group(std::uint32_t group, std::uint64_t now_ns);
  void delete_users_of_meter(std::uint32_t meter, std::uint64_t now_ns);
  /// Within a batch: removes flows whose time has come, after `limit` looks at flows no more. Work is that of the flows
  /// that are due.
  void expire(std::uint64_t now_ns, std::size_t limit);
  /// expire() has something to do.
  bool expires(std::uint64_t now_ns) const { return expiry_.next_ns() <= now_ns || expiry_.crowded(); }
  /// Within a batch: limit and eviction; a table that evicts never holds more than its limit. Not taken back by
  /// rollback.
  void configure(std::uint8_t table, const TableConfig& config, std::uint64_t now_ns);
  /// Of hashes that guests must not foresee.
  std::uint64_t seed() const { return seed_; }
  const TableConfig& config(std::uint8_t table) const { return configs_[table]; }
  /// Tells about flows that passed thresholds since the last call. When no batch is open.
  void look_at_triggers(std::uint64_t now_ns);
  /// Before publishing and after reclaiming.
  void settle();
  /// Flows were unlinked since.
  bool is_unsettled() const { return !unsettled_.empty(); }

  /// When no batch is open: tells of removed flows, in the order in which they were removed, `limit` looks at flows at
  /// most and no more than the sink has room for. Returns how many it looked at.
  std::size_t announce(std::size_t limit);
  /// Frees up to so many flows of those that were deleted with their table's others by batches before: also within one,
  /// which does so when counters run out. Returns how many it looked at.
  std::size_t free_cleared(std::size_t limit);
  /// Flows, and groups of tables that evict, that free_cleared() will free, some of them later.
  std::size_t cleared() const { return cleared_flows_ + cleared_groups_; }
  /// Flows inserted and replaced since the last call.
  std::size_t take_placed() { return std::exchange(placed_, 0); }

  void on_removed(FlowRemovedSink* sink) { sink_ = sink; }
  /// nullptr: nobody watches.
  void on_changed(FlowChangeSink* watcher) { watcher_ = watcher; }
  /// Removals of which is to be told when no reader sees the flows any more.
  std::size_t unannounced() const { return unannounced_; }
  /// Of which announce() can tell.
  bool has_announcements() const { return !announcements_.empty(); }

  /// Visits flows from `cursor` (0 first) until the visitor returns false; `cursor` then stands at the flow it
  /// refused. True when there are no more. Flows that stay are seen exactly once whatever changes between calls.
  bool read(const FlowFilter& filter, std::uint64_t now_ns, std::uint64_t& cursor,
            const std::function<bool(const FlowView&)>& visit) const;
  /// Live flows of one table, and of all.
  std::size_t size(std::size_t id) const;
  std::size_t rules() const { return live_; }
  std::size_t subtables() const;
  /// Bytes of rules, hash tables and instructions; counters not included.
  std::size_t bytes() const;
  /// What sample actions counted, by collector set.
  std::vector<SampleView> samples() const { return effects_.samples(); }
  /// Flows that learn actions made.
  std::uint64_t learned() const { return learned_; }

 private:
  /// Of live flows of a table.
  struct Census {
    std::size_t told = 0;   // those with kSendFlowRem
    std::size_t noted = 0;  // those whose instructions are noted
  };
  /// What a table was until all its flows were deleted.
  struct Cleared {
    std::unique_ptr<Table::Cleared> flows;
    std::unique_ptr<Eviction> eviction;
    Census census;
    std::size_t armed = 0;  // in Expiry
    std::uint32_t at = 0;   // slot to look at next, to tell of it or to free it
    std::uint8_t table = 0;
    bool is_told = false;       // of those that asked for it
    bool is_announced = false;  // all of it
    bool is_unlinked = false;   // what was removed before: the rest can be freed

    std::size_t groups() const { return eviction ? eviction->groups() : 0; }
  };
  /// On its way from the flow_mod until no reader sees the flow. Owned by the batch, then by the epoch.
  struct Removal {
    Flow* flow;
    Cleared* cleared;  // instead of one flow
    std::uint64_t when_ns;
    FlowRemovedReason reason;
  };

  Status add(const FlowMod& mod, std::uint64_t now_ns);
  /// The flow that makes room for this one; nullptr none.
  Flow* victim_for(const FlowMod& mod);
  EvictionRank rank_of(const Flow& flow, std::uint8_t flags) const;
  /// A number for what the flow matches of the fields, a field that it does not match being 0.
  std::uint64_t group_of(const Flow& flow, const FlowKey& fields) const;
  Status modify(const FlowMod& mod, std::uint64_t now_ns);
  bool learn(const FlowRequest& request, std::span<const std::uint8_t> instructions, std::uint64_t now_ns);
  bool has_room(const FlowRequest& request) const;
  std::uint64_t family_size(const Effects::Family& family) const;
  void delete_orphans(std::uint64_t now_ns);
  void erase(const FlowMod& mod, std::uint64_t now_ns);
  /// Deletes all flows of a table, whatever their number.
  void clear(std::uint8_t table, std::uint64_t now_ns, bool silent);
  std::unique_ptr<Eviction> make_eviction(std::uint8_t table);
  Status check(const FlowMod& mod) const;
  Status check_references(const FlowMod& mod) const;
  /// Flows a modify or delete is about.
  std::vector<Flow*> select(const FlowMod& mod) const;
  static bool is_selected(const Flow& flow, const FlowMod& mod);

  Table& table_for(std::uint8_t id);
  Flow* make(std::size_t words, const FlowMod& mod, CounterId counter);
  void insert(Table& table, Flow& flow, const FlowKey& mask, std::uint64_t now_ns);
  void replace(Flow& old, Flow& fresh, std::uint64_t now_ns);
  /// `silent`: no flow_removed is told.
  void remove(Flow& flow, FlowRemovedReason reason, std::uint64_t now_ns, bool silent = false);
  template <typename Uses>
  void delete_users(Uses uses, FlowRemovedReason reason, std::uint64_t now_ns);
  /// Called when a flow begins (+1) and ceases (-1) to be live.
  void count_references(const Flow& flow, int by);
  void count_noted(const Flow& flow, int by);
  void arm(Flow& flow);
  /// The flow lives from now on, or does no more: timeouts and eviction.
  void enlist(Flow& flow);
  void delist(Flow& flow);
  void tell(const Flow& flow, FlowChange event, std::uint64_t now_ns, FlowRemovedReason reason = {},
            const Flow* before = nullptr);
  std::uint64_t expires_ns(const Flow& flow) const;
  void disarm(Flow& flow);
  FlowStatistics statistics(const Flow& flow, std::uint64_t now_ns) const;
  void expire_slot(Table& table, std::uint32_t slot, std::uint64_t now_ns);
  std::uint64_t used_ns(const Flow& flow) const;
  FlowView view(const Flow& flow, std::uint64_t now_ns) const;
  Table& table_of(const Flow& flow) const { return *tables_[flow.table].load(std::memory_order_relaxed); }
  void touch(std::uint8_t table);
  /// kNoCounter when there are no more.
  CounterId take_counter();
  void destroy(Flow* flow);

  /// Tells of flows of a table that was cleared. Returns how many it looked at.
  std::size_t announce(Cleared& cleared, std::uint64_t when_ns, FlowRemovedReason reason, std::size_t limit);
  static void end_announcing(Cleared& cleared);
  static void announce_later(void* owner, void* removal);
  static void end_unlinking(void* owner, void* cleared);
  static void undo_clear(void* owner, void* cleared, void* removal);
  static void take_out(void* owner, void* flow);
  static void destroy_later(void* owner, void* flow);
  static void undo_insert(void* owner, void* flow, void*);
  static void undo_replace(void* owner, void* old, void* fresh);
  static void undo_remove(void* owner, void* flow, void* removal);

  Epoch& epoch_;
  Versions& versions_;
  Counters& counters_;
  GroupTable& groups_;
  MeterTable& meters_;
  const std::uint64_t seed_;
  FlowArena arena_;
  InstructionSets instructions_;
  Effects effects_;
  Expiry expiry_;
  StatTriggers triggers_;
  std::uint64_t now_ns_ = 0;  // of the batch that is open
  FlowRemovedSink* sink_ = nullptr;
  FlowChangeSink* watcher_ = nullptr;
  std::array<TableConfig, kTables> configs_{};
  std::array<std::unique_ptr<Eviction>, kTables> evictions_{};  // of the tables that evict
  std::array<std::atomic<Table*>, kTables> tables_{};           // control: rw, readers: ro
  std::array<std::atomic<bool>, kTables> conjunctive_{};        // control: rw, readers: ro; stays once it was set
  std::vector<std::uint8_t> unsettled_;                         // tables to settle
  std::array<bool, kTables> is_unsettled_{};
  std::size_t live_ = 0;
  std::array<Census, kTables> census_{};
  std::size_t unannounced_ = 0;
  std::deque<Removal> announcements_;
  std::deque<std::unique_ptr<Cleared>> cleared_;  // in that order
  std::size_t cleared_flows_ = 0;                 // in them
  std::size_t cleared_groups_ = 0;                // in their evictions
  std::size_t placed_ = 0;
  std::uint64_t learned_ = 0;
};

}  // namespace xvif
