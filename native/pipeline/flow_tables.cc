#include "pipeline/flow_tables.h"

#include <algorithm>
#include <new>

#include "actions/validate.h"
#include "base/assert.h"

namespace xvif {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kAnyPort = static_cast<std::uint32_t>(ReservedPort::kAny);
/// What is about the flow_mod, not the flow.
constexpr std::uint16_t kOwnFlags = static_cast<std::uint16_t>(FlowFlag::kOrAdd) |
                                    static_cast<std::uint16_t>(FlowFlag::kSetCookie) |
                                    static_cast<std::uint16_t>(FlowFlag::kSilent);

/// Looks at cleared flows, of which one that is freed gives its counter.
constexpr std::size_t kFreedForCounter = 4096;

bool has(const FlowMod& mod, FlowFlag flag) { return (mod.flags & static_cast<unsigned>(flag)) != 0; }

bool has_trigger(std::span<const std::uint8_t> instructions) {
  for (const InstructionView instruction : Instructions(instructions)) {
    if (instruction.code() == Instruction::kStatTrigger) return true;
  }
  return false;
}

/// A delete of whatever is in a table.
bool takes_all(const FlowMod& mod) {
  return mod.command == FlowCommand::kDelete && mod.mask == FlowKey{} && mod.cookie_mask == 0 &&
         mod.out_port == kAnyPort && mod.out_group == kGroupAny;
}

/// Smallest table first to look at, and the one after the last.
std::pair<std::size_t, std::size_t> table_range(std::uint8_t table) {
  if (table == kAllTables) return {0, kTables};
  return {table, table + std::size_t{1}};
}

}  // namespace

FlowTables::FlowTables(Epoch& epoch, Versions& versions, Counters& counters, GroupTable& groups, MeterTable& meters,
                       std::uint64_t seed)
    : epoch_(epoch),
      versions_(versions),
      counters_(counters),
      groups_(groups),
      meters_(meters),
      seed_(seed),
      effects_(counters) {}

FlowTables::~FlowTables() {
  for (auto& removal : announcements_) {
    if (removal.flow != nullptr) destroy(removal.flow);
  }
  for (auto& cleared : cleared_) end_announcing(*cleared);
  free_cleared(~std::size_t{0});
  for (std::atomic<Table*>& at : tables_) {
    Table* const table = at.load(std::memory_order_relaxed);
    if (table == nullptr) continue;
    for (std::uint32_t slot = 0; slot < table->slots(); ++slot) {
      if (Rule* rule = table->at(slot)) destroy(static_cast<Flow*>(rule));
    }
    delete table;
  }
}

Status FlowTables::apply(const FlowMod& mod, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  if (mod.table >= kTables && mod.table != kAllTables) return Status::kBadTable;
  Status status = Status::kMalformed;
  switch (mod.command) {
    case FlowCommand::kAdd:
      status = add(mod, now_ns);
      break;
    case FlowCommand::kModify:
    case FlowCommand::kModifyStrict:
      status = modify(mod, now_ns);
      break;
    case FlowCommand::kDelete:
    case FlowCommand::kDeleteStrict:
      erase(mod, now_ns);
      status = Status::kOk;
      break;
  }
  delete_orphans(now_ns);
  return status;
}

Status FlowTables::check(const FlowMod& mod) const {
  if (mod.table == kAllTables && mod.command == FlowCommand::kAdd) return Status::kBadTable;
  const Status valid = validate_instructions(mod.instructions);
  if (valid != Status::kOk) return valid;
  const Status known = check_references(mod);
  return known == Status::kOk && triggers_.full() && has_trigger(mod.instructions) ? Status::kTableFull : known;
}

Status FlowTables::check_references(const FlowMod& mod) const {
  Status status = Status::kOk;
  const auto visit = [&](ActionView action) {
    if (action.code() == Action::kGroup && !groups_.exists(action.group())) status = Status::kUnknownGroup;
    if (action.code() == Action::kMeter && !meters_.exists(action.meter())) status = Status::kUnknownMeter;
  };
  for (InstructionView instruction : Instructions(mod.instructions)) {
    switch (instruction.code()) {
      case Instruction::kApplyActions:
      case Instruction::kWriteActions:
        for_each_reference(instruction.actions(), visit);
        break;
      case Instruction::kMeter:
        if (!meters_.exists(instruction.meter())) status = Status::kUnknownMeter;
        break;
      case Instruction::kGotoTable:
        // Forwards only, or a packet could go round for ever.
        if (instruction.table() <= mod.table) status = Status::kBadTable;
        break;
      default:
        break;
    }
    if (status != Status::kOk) return status;
  }
  return status;
}

Status FlowTables::add(const FlowMod& mod, std::uint64_t now_ns) {
  if (const Status status = check(mod); status != Status::kOk) return status;
  Table& table = table_for(mod.table);
  if (has(mod, FlowFlag::kCheckOverlap) && table.find_overlap(mod.value, mod.mask, mod.priority) != nullptr) {
    return Status::kOverlap;
  }
  auto* const old = static_cast<Flow*>(table.find(mod.value, mod.mask, mod.priority));
  Flow* const victim = old == nullptr ? victim_for(mod) : nullptr;
  if (old == nullptr && victim == nullptr && table.size() >= configs_[mod.table].max_entries) return Status::kTableFull;
  const bool keeps = old != nullptr && !has(mod, FlowFlag::kResetCounts);
  const CounterId counter = keeps ? old->counter : take_counter();
  if (counter == kNoCounter) return Status::kNoMemory;
  Flow* const flow = make(packed_words(mod.mask), mod, counter);
  if (flow == nullptr) {
    if (!keeps) counters_.release(counter);
    return Status::kNoMemory;
  }
  pack(mod.value, mod.mask, const_cast<std::uint64_t*>(flow->key()));
  flow->cookie = mod.cookie;
  flow->created_ns = now_ns;
  flow->changed_ns = now_ns;
  flow->idle_timeout = mod.idle_timeout;
  flow->hard_timeout = mod.hard_timeout;
  flow->flags = static_cast<std::uint16_t>(mod.flags & ~kOwnFlags);
  flow->importance = mod.importance;
  if (victim != nullptr) remove(*victim, FlowRemovedReason::kEviction, now_ns);
  if (old == nullptr) {
    insert(table, *flow, mod.mask, now_ns);
  } else {
    old->shares_counter = keeps;
    replace(*old, *flow, now_ns);
  }
  return Status::kOk;
}

void FlowTables::configure(std::uint8_t id, const TableConfig& config, std::uint64_t now_ns) {
  configs_[id] = config;
  configs_[id].max_entries = std::min<std::uint32_t>(config.max_entries, kFlowsPerTableMax);
  evictions_[id].reset();
  if (config.eviction == 0) return;
  Table& table = table_for(id);
  evictions_[id] = make_eviction(id);
  for (std::uint32_t slot = 0; slot < table.slots(); ++slot) {
    if (Rule* rule = table.at(slot)) evictions_[id]->add(static_cast<Flow&>(*rule));
  }
  while (table.size() > configs_[id].max_entries) {
    remove(*evictions_[id]->lowest(), FlowRemovedReason::kEviction, now_ns);
  }
  delete_orphans(now_ns);
}

std::unique_ptr<Eviction> FlowTables::make_eviction(std::uint8_t id) {
  Table& table = table_for(id);
  const std::uint8_t flags = configs_[id].eviction;
  Eviction::GroupOf group = [](const Flow&) { return 0; };
  if (configs_[id].groups != FlowKey{}) {
    group = [this, id](const Flow& flow) { return group_of(flow, configs_[id].groups); };
  }
  return std::make_unique<Eviction>(
      [&table](std::uint32_t slot) { return slot < table.slots() ? static_cast<Flow*>(table.at(slot)) : nullptr; },
      [this, flags](const Flow& flow) { return rank_of(flow, flags); }, std::move(group));
}

EvictionRank FlowTables::rank_of(const Flow& flow, std::uint8_t flags) const {
  const auto by = [flags](EvictionFlag flag) { return (flags & static_cast<unsigned>(flag)) != 0; };
  return {.importance = by(EvictionFlag::kImportance) ? flow.importance : std::uint16_t{0},
          .expires_ns = by(EvictionFlag::kLifetime) ? expires_ns(flow) : ~std::uint64_t{0},
          .created_ns = flow.created_ns};
}

std::uint64_t FlowTables::group_of(const Flow& flow, const FlowKey& fields) const {
  FlowKey value, mask;
  Table::match_of(flow, value, mask);
  std::uint64_t hash = seed_;
  for (std::size_t i = 0; i < kFlowKeyWords; ++i) {
    if (fields.words[i] != 0) hash = mix64(hash ^ (value.words[i] & fields.words[i]));
  }
  return hash;
}

Flow* FlowTables::victim_for(const FlowMod& mod) {
  Eviction* const eviction = evictions_[mod.table].get();
  if (eviction == nullptr || table_for(mod.table).size() < configs_[mod.table].max_entries) return nullptr;
  Flow* const lowest = eviction->lowest();
  // Its rank knows whether importance counts.
  return lowest != nullptr && eviction->rank(*lowest).importance <= mod.importance ? lowest : nullptr;
}

Status FlowTables::modify(const FlowMod& mod, std::uint64_t now_ns) {
  const std::vector<Flow*> flows = select(mod);
  FlowMod one = mod;  // of kAllTables, for the table of each
  if (flows.empty() && has(mod, FlowFlag::kOrAdd)) {
    one.command = FlowCommand::kAdd;
    if (mod.table == kAllTables) one.table = 0;
    return add(one, now_ns);
  }
  // A goto has to lead on from each: the last is of the highest table.
  if (!flows.empty()) one.table = flows.back()->table;
  if (const Status status = check(one); status != Status::kOk) return status;
  std::vector<Flow*> fresh;
  fresh.reserve(flows.size());
  // All or none: memory first.
  for (Flow* old : flows) {
    const bool keeps = !has(mod, FlowFlag::kResetCounts);
    const CounterId counter = keeps ? old->counter : take_counter();
    one.table = old->table;
    Flow* const flow = counter == kNoCounter ? nullptr : make(old->words, one, counter);
    if (flow == nullptr) {
      for (Flow* made : fresh) {
        made->shares_counter = keeps;
        destroy(made);
      }
      if (!keeps && counter != kNoCounter) counters_.release(counter);
      return Status::kNoMemory;
    }
    fresh.push_back(flow);
  }
  for (std::size_t i = 0; i < flows.size(); ++i) {
    Flow& old = *flows[i];
    Flow& flow = *fresh[i];
    std::copy_n(old.key(), old.words, const_cast<std::uint64_t*>(flow.key()));
    flow.priority = old.priority;
    flow.cookie = has(mod, FlowFlag::kSetCookie) ? mod.cookie : old.cookie;
    flow.created_ns = old.created_ns;
    flow.changed_ns = now_ns;
    flow.refreshed = old.refreshed.load(std::memory_order_relaxed);
    flow.idle_timeout = old.idle_timeout;
    flow.hard_timeout = old.hard_timeout;
    flow.flags = old.flags;
    flow.importance = old.importance;
    old.shares_counter = flow.counter == old.counter;
    // A reset counter forgets the last packet too, which is what the idle timeout counts from.
    if (!old.shares_counter) counters_.restore_used(flow.counter, used_ns(old));
    replace(old, flow, now_ns);
  }
  return Status::kOk;
}

void FlowTables::erase(const FlowMod& mod, std::uint64_t now_ns) {
  const bool silent = has(mod, FlowFlag::kSilent);
  // Who watches is told of each.
  if (takes_all(mod) && watcher_ == nullptr) {
    const auto [first, end] = table_range(mod.table);
    for (std::size_t id = first; id < end; ++id) clear(static_cast<std::uint8_t>(id), now_ns, silent);
    return;
  }
  for (Flow* flow : select(mod)) remove(*flow, FlowRemovedReason::kDelete, now_ns, silent);
}

bool FlowTables::is_selected(const Flow& flow, const FlowMod& mod) {
  const bool deletes = mod.command == FlowCommand::kDelete || mod.command == FlowCommand::kDeleteStrict;
  return flow.passes(mod.cookie, mod.cookie_mask, deletes ? mod.out_port : kAnyPort,
                     deletes ? mod.out_group : kGroupAny);
}

std::vector<Flow*> FlowTables::select(const FlowMod& mod) const {
  const bool strict = mod.command == FlowCommand::kModifyStrict || mod.command == FlowCommand::kDeleteStrict;
  std::vector<Flow*> selected;
  const auto consider = [&](Rule& rule) {
    if (is_selected(static_cast<Flow&>(rule), mod)) selected.push_back(static_cast<Flow*>(&rule));
  };
  const auto [first, end] = table_range(mod.table);
  for (std::size_t id = first; id < end; ++id) {
    const Table* const table = tables_[id].load(std::memory_order_relaxed);
    if (table == nullptr) continue;
    if (!strict) {
      table->for_each(mod.value, mod.mask, consider);
    } else if (Rule* rule = table->find(mod.value, mod.mask, mod.priority)) {
      consider(*rule);
    }
  }
  return selected;
}

Table& FlowTables::table_for(std::uint8_t id) {
  Table* table = tables_[id].load(std::memory_order_relaxed);
  if (table == nullptr) {
    table = new Table(epoch_, mix64(seed_ + id));
    tables_[id].store(table, std::memory_order_release);
  }
  return *table;
}

Flow* FlowTables::make(std::size_t words, const FlowMod& mod, CounterId counter) {
  const std::size_t key_bytes = words * sizeof(std::uint64_t);
  auto* const memory = static_cast<std::uint8_t*>(arena_.take(key_bytes + sizeof(Flow)));
  if (memory == nullptr) return nullptr;
  Flow* const flow = new (memory + key_bytes) Flow;
  flow->words = static_cast<std::uint8_t>(words);
  flow->priority = mod.priority;
  flow->table = mod.table;
  InstructionSet* const set = instructions_.take(mod.instructions);
  if (!set->effects.empty() && set->users == 1) {
    effects_.bind(*set, [this](const Effects::Family& family) { return family_size(family); });
  }
  flow->instructions = set;
  // Before the flow is published.
  if (flow->instructions->conjunctive) conjunctive_[mod.table].store(true, std::memory_order_release);
  flow->counter = counter;
  return flow;
}

void FlowTables::destroy(Flow* flow) {
  if (!flow->instructions->effects.empty() && flow->instructions->users == 1) effects_.unbind(*flow->instructions);
  instructions_.give_back(flow->instructions);
  if (!flow->shares_counter) counters_.release(flow->counter);
  const std::size_t key_bytes = flow->words * sizeof(std::uint64_t);
  auto* const memory = reinterpret_cast<std::uint8_t*>(flow) - key_bytes;
  flow->~Flow();
  arena_.give_back(memory, key_bytes + sizeof(Flow));
}

void FlowTables::count_references(const Flow& flow, int by) {
  live_ += static_cast<std::size_t>(static_cast<std::ptrdiff_t>(by));
  Census& census = census_[flow.table];
  if (flow.has(FlowFlag::kSendFlowRem)) census.told += static_cast<std::size_t>(static_cast<std::ptrdiff_t>(by));
  if (flow.instructions->is_noted()) census.noted += static_cast<std::size_t>(static_cast<std::ptrdiff_t>(by));
  count_noted(flow, by);
}

void FlowTables::count_noted(const Flow& flow, int by) {
  const InstructionSet& set = *flow.instructions;
  for (std::uint32_t group : set.groups) groups_.count_reference(group, by);
  for (std::uint32_t meter : set.meters) meters_.count_reference(meter, by);
  effects_.count(flow, by);
}

void FlowTables::touch(std::uint8_t table) {
  if (is_unsettled_[table]) return;
  is_unsettled_[table] = true;
  unsettled_.push_back(table);
}

CounterId FlowTables::take_counter() {
  CounterId counter = counters_.allocate();
  while (counter == kNoCounter && free_cleared(kFreedForCounter) > 0) counter = counters_.allocate();
  return counter;
}

void FlowTables::settle() {
  for (std::uint8_t id : unsettled_) {
    is_unsettled_[id] = false;
    tables_[id].load(std::memory_order_relaxed)->settle();
  }
  unsettled_.clear();
  triggers_.settle();
  effects_.forget_orphans();  // of a batch that was rolled back
}

void FlowTables::insert(Table& table, Flow& flow, const FlowKey& mask, std::uint64_t now_ns) {
  flow.born = versions_.working();
  table.insert(flow, mask, versions_.working());
  touch(flow.table);
  ++placed_;
  count_references(flow, 1);
  enlist(flow);
  versions_.on_rollback(undo_insert, this, &flow);
  tell(flow, FlowChange::kAdded, now_ns);
}

void FlowTables::replace(Flow& old, Flow& fresh, std::uint64_t now_ns) {
  fresh.born = old.born;
  table_of(old).replace(old, fresh, versions_.working());
  touch(old.table);
  ++placed_;
  count_references(old, -1);
  count_references(fresh, 1);
  delist(old);
  enlist(fresh);
  versions_.on_rollback(undo_replace, this, &old, &fresh);
  versions_.after_publication(take_out, this, &old);
  tell(fresh, FlowChange::kModified, now_ns, {}, &old);
}

void FlowTables::remove(Flow& flow, FlowRemovedReason reason, std::uint64_t now_ns, bool silent) {
  table_of(flow).remove(flow, versions_.working());
  count_references(flow, -1);
  delist(flow);
  Removal* removal = nullptr;
  if (!silent && flow.has(FlowFlag::kSendFlowRem)) {
    removal = new Removal{&flow, nullptr, now_ns, reason};
    ++unannounced_;
    versions_.first_after_publication(announce_later, this, removal);
  } else {
    versions_.after_publication(take_out, this, &flow);
  }
  versions_.on_rollback(undo_remove, this, &flow, removal);
  tell(flow, FlowChange::kRemoved, now_ns, reason);
}

void FlowTables::enlist(Flow& flow) {
  arm(flow);
  if (evictions_[flow.table]) evictions_[flow.table]->add(flow);
}

void FlowTables::delist(Flow& flow) {
  disarm(flow);
  if (evictions_[flow.table]) evictions_[flow.table]->remove(flow);
}

void FlowTables::tell(const Flow& flow, FlowChange event, std::uint64_t now_ns, FlowRemovedReason reason,
                      const Flow* before) {
  if (watcher_ != nullptr) watcher_->flow_changed(view(flow, now_ns), event, reason, before);
}

void FlowTables::undo_insert(void* owner, void* flow, void*) {
  auto& self = *static_cast<FlowTables*>(owner);
  auto* const inserted = static_cast<Flow*>(flow);
  self.delist(*inserted);
  self.count_references(*inserted, -1);
  self.table_of(*inserted).undo_insert(*inserted);
  self.touch(inserted->table);
  self.epoch_.retire(destroy_later, owner, inserted);
}

void FlowTables::undo_replace(void* owner, void* old, void* fresh) {
  auto& self = *static_cast<FlowTables*>(owner);
  auto& before = *static_cast<Flow*>(old);
  auto& after = *static_cast<Flow*>(fresh);
  self.delist(after);
  self.count_references(after, -1);
  self.count_references(before, 1);
  self.table_of(before).undo_replace(before, after);
  self.touch(before.table);
  after.shares_counter = before.shares_counter;
  before.shares_counter = false;
  self.enlist(before);
  self.epoch_.retire(destroy_later, owner, &after);
}

void FlowTables::undo_remove(void* owner, void* flow, void* removal) {
  auto& self = *static_cast<FlowTables*>(owner);
  auto& removed = *static_cast<Flow*>(flow);
  self.table_of(removed).undo_remove(removed);
  self.count_references(removed, 1);
  self.enlist(removed);
  if (removal != nullptr) --self.unannounced_;
  delete static_cast<Removal*>(removal);
}

template <typename Uses>
void FlowTables::delete_users(Uses uses, FlowRemovedReason reason, std::uint64_t now_ns) {
  for (const std::atomic<Table*>& at : tables_) {
    const Table* const table = at.load(std::memory_order_relaxed);
    for (std::uint32_t slot = 0; table != nullptr && slot < table->slots(); ++slot) {
      auto* const flow = static_cast<Flow*>(table->at(slot));
      if (flow != nullptr && uses(*flow->instructions)) remove(*flow, reason, now_ns);
    }
  }
  delete_orphans(now_ns);
}

void FlowTables::delete_users_of_group(std::uint32_t group, std::uint64_t now_ns) {
  if (groups_.references(group) == 0) return;
  const auto uses = [group](const InstructionSet& set) { return set.outputs_to_group(group); };
  delete_users(uses, FlowRemovedReason::kGroupDelete, now_ns);
}

void FlowTables::delete_users_of_meter(std::uint32_t meter, std::uint64_t now_ns) {
  if (meters_.references(meter) == 0) return;
  const auto uses = [meter](const InstructionSet& set) { return set.uses_meter(meter); };
  delete_users(uses, FlowRemovedReason::kMeterDelete, now_ns);
}

std::uint64_t FlowTables::used_ns(const Flow& flow) const {
  return std::max(flow.created_ns, counters_.read(flow.counter).used_ns);
}

std::uint64_t FlowTables::expires_ns(const Flow& flow) const {
  std::uint64_t at = ~std::uint64_t{0};
  if (flow.hard_timeout != 0) at = flow.refreshed_ns() + flow.hard_timeout * kSecond;
  if (flow.idle_timeout != 0) at = std::min(at, used_ns(flow) + flow.idle_timeout * kSecond);
  return at;
}

void FlowTables::arm(Flow& flow) {
  if (flow.instructions->trigger.count > 0 && !triggers_.watches(flow)) triggers_.add(flow, statistics(flow, now_ns_));
  const std::uint64_t at = expires_ns(flow);
  if (at != ~std::uint64_t{0}) expiry_.arm(flow, at);
}

void FlowTables::disarm(Flow& flow) {
  expiry_.disarm(flow);
  if (flow.instructions->trigger.count > 0) triggers_.remove(flow);
}

FlowStatistics FlowTables::statistics(const Flow& flow, std::uint64_t now_ns) const {
  const CountSum count = counters_.read(flow.counter);
  return {.duration = now_ns - std::min(now_ns, flow.created_ns),
          .idle = now_ns - std::min(now_ns, std::max(flow.created_ns, count.used_ns)),
          .packets = flow.has(FlowFlag::kNoPktCounts) ? 0 : count.packets,
          .bytes = flow.has(FlowFlag::kNoBytCounts) ? 0 : count.bytes};
}

void FlowTables::look_at_triggers(std::uint64_t now_ns) {
  if (triggers_.empty()) return;
  triggers_.look([&](const Flow& flow) { return statistics(flow, now_ns); },
                 [&](const Flow& flow) {
                   if (sink_ != nullptr) sink_->flow_triggered(view(flow, now_ns));
                 });
}

void FlowTables::expire_slot(Table& table, std::uint32_t slot, std::uint64_t now_ns) {
  auto& flow = static_cast<Flow&>(*table.at(slot));
  expiry_.disarm(flow);
  if (flow.hard_timeout != 0 && now_ns >= flow.refreshed_ns() + flow.hard_timeout * kSecond) {
    remove(flow, FlowRemovedReason::kHardTimeout, now_ns);
  } else if (flow.idle_timeout != 0 && now_ns >= used_ns(flow) + flow.idle_timeout * kSecond) {
    remove(flow, FlowRemovedReason::kIdleTimeout, now_ns);
  } else {
    arm(flow);
  }
}

void FlowTables::expire(std::uint64_t now_ns, std::size_t limit) {
  expiry_.take(
      now_ns, limit,
      [&](std::uint8_t id, std::uint32_t slot) {
        expire_slot(*tables_[id].load(std::memory_order_relaxed), slot, now_ns);
      },
      [&](std::uint8_t id, std::uint32_t slot, std::uint32_t serial) {
        const Table& table = *tables_[id].load(std::memory_order_relaxed);
        if (slot >= table.slots() || table.at(slot) == nullptr) return false;
        return static_cast<const Flow*>(table.at(slot))->timer == serial;
      });
  delete_orphans(now_ns);
}

}  // namespace xvif
