#include "pipeline/group_table.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "actions/action_set.h"
#include "actions/validate.h"
#include "base/assert.h"
#include "pipeline/choice.h"
#include "pipeline/instructions.h"

namespace xvif {
namespace {

constexpr std::uint32_t kAnyPort = static_cast<std::uint32_t>(ReservedPort::kAny);

bool modifies(std::span<const std::uint8_t> actions) {
  for (ActionView action : Actions(actions)) {
    if (action.code() != Action::kOutput) return true;
  }
  return false;
}

/// Groups that a list of actions sends packets to.
template <typename Visit>
void for_each_group(std::span<const std::uint8_t> actions, Visit visit) {
  for (ActionView action : Actions(actions)) {
    if (action.code() == Action::kGroup) visit(action.group());
  }
}

/// The group as it would be asked for; the spans point into it.
GroupMod whole_of(const Group& group) {
  GroupMod whole{.command = ModCommand::kModify,
                 .type = static_cast<std::uint8_t>(group.type),
                 .group = group.id,
                 .buckets = {},
                 .selection = group.selection};
  for (const Bucket& bucket : group.buckets) {
    whole.buckets.push_back({.id = bucket.id,
                             .weight = bucket.weight,
                             .watch_port = bucket.watch_port,
                             .watch_group = bucket.watch_group,
                             .actions = bucket.actions});
  }
  return whole;
}

template <typename Buckets>
auto find_bucket(Buckets& buckets, std::uint32_t id) {
  return std::find_if(buckets.begin(), buckets.end(), [id](const auto& bucket) { return bucket.id == id; });
}

std::vector<CounterId> counters_of(const Group& group) {
  std::vector<CounterId> counters{group.counter};
  for (const Bucket& bucket : group.buckets) counters.push_back(bucket.counter);
  return counters;
}

/// `group` owns what `successor` has not taken over.
void own_the_rest(Group& group, const Group& successor) {
  const std::vector<CounterId> taken = counters_of(successor);
  const std::unordered_set<CounterId> gone(taken.begin(), taken.end());
  group.owned = counters_of(group);
  std::erase_if(group.owned, [&](CounterId counter) { return gone.contains(counter); });
}

std::uint64_t identity_of(const BucketMod& bucket) {
  const std::string_view actions(reinterpret_cast<const char*>(bucket.actions.data()), bucket.actions.size());
  const std::uint64_t watched = std::uint64_t{bucket.watch_port} << 32 | bucket.watch_group;
  return mix64(std::hash<std::string_view>{}(actions) ^ mix64(watched));
}

std::vector<Share> shares_of(const Group& group) {
  std::vector<Share> shares;
  for (const Bucket& bucket : group.buckets) shares.push_back({bucket.weight, bucket.identity});
  return shares;
}

}  // namespace

GroupTable::GroupTable(Epoch& epoch, Versions& versions, Counters& counters, const PortTable& ports,
                       const MeterTable& meters)
    : epoch_(epoch), versions_(versions), counters_(counters), ports_(ports), meters_(meters), groups_(epoch) {}

GroupTable::~GroupTable() {
  for (auto& [id, group] : live_) release(group);
}

Status GroupTable::apply(const GroupMod& mod, std::uint64_t now_ns) {
  GroupMod whole = mod;
  bool edits = true;
  Status status = Status::kOk;
  switch (mod.command) {
    case ModCommand::kDelete:
      return erase(mod.group);
    case ModCommand::kAdd:
    case ModCommand::kModify:
      edits = false;
      break;
    case ModCommand::kInsertBucket:
      status = insert_buckets(mod, whole);
      break;
    case ModCommand::kRemoveBucket:
      status = remove_buckets(mod, whole);
      break;
  }
  if (status == Status::kOk) status = check(whole);
  if (status != Status::kOk) return status;
  const auto at = live_.find(mod.group);
  Group* const old = at == live_.end() ? nullptr : at->second;
  Group* const fresh = make(whole, now_ns, old, edits);
  if (fresh == nullptr) return Status::kNoMemory;
  link(*fresh, old);
  return Status::kOk;
}

Status GroupTable::insert_buckets(const GroupMod& mod, GroupMod& whole) const {
  const auto at = live_.find(mod.group);
  if (at == live_.end()) return Status::kUnknownGroup;
  if (mod.place == kAllBuckets) return Status::kBadBucket;
  whole = whole_of(*at->second);
  const auto place = mod.place == kFirstBucket  ? whole.buckets.begin()
                     : mod.place == kLastBucket ? whole.buckets.end()
                                                : find_bucket(whole.buckets, mod.place);
  const bool behind = mod.place < kFirstBucket;
  if (behind && place == whole.buckets.end()) return Status::kUnknownBucket;
  whole.buckets.insert(behind ? place + 1 : place, mod.buckets.begin(), mod.buckets.end());
  return Status::kOk;
}

Status GroupTable::remove_buckets(const GroupMod& mod, GroupMod& whole) const {
  const auto at = live_.find(mod.group);
  if (at == live_.end()) return Status::kUnknownGroup;
  if (!mod.buckets.empty()) return Status::kBadBucket;
  whole = whole_of(*at->second);
  std::vector<BucketMod>& buckets = whole.buckets;
  switch (mod.place) {
    case kAllBuckets:
      buckets.clear();
      return Status::kOk;
    case kFirstBucket:
      if (!buckets.empty()) buckets.erase(buckets.begin());
      return Status::kOk;
    case kLastBucket:
      if (!buckets.empty()) buckets.pop_back();
      return Status::kOk;
    default:
      break;
  }
  const auto gone = find_bucket(buckets, mod.place);
  if (gone == buckets.end()) return Status::kUnknownBucket;
  buckets.erase(gone);
  return Status::kOk;
}

Status GroupTable::check(const GroupMod& mod) const {
  if (mod.group > kGroupIdMax) return Status::kUnknownGroup;
  const bool exists = live_.contains(mod.group);
  if (mod.command == ModCommand::kModify && !exists) return Status::kUnknownGroup;
  if (mod.command == ModCommand::kAdd && exists) return Status::kGroupExists;
  if (!exists && live_.size() >= kGroupsMax) return Status::kOutOfGroups;
  if (mod.buckets.size() > kBucketsMax) return Status::kOutOfBuckets;
  if (mod.type > static_cast<unsigned>(GroupType::kFf)) return Status::kBadGroupType;
  const bool selects = mod.type == static_cast<unsigned>(GroupType::kSelect);
  if (!selects && mod.selection.method != SelectionMethod::kDefault) return Status::kBadGroupType;
  if (mod.type == static_cast<unsigned>(GroupType::kIndirect) && mod.buckets.size() != 1) return Status::kBadGroupType;
  std::unordered_set<std::uint32_t> ids;
  for (const BucketMod& bucket : mod.buckets) {
    if (const Status status = check_bucket(bucket, mod); status != Status::kOk) return status;
    if (!ids.insert(bucket.id).second) return Status::kBucketExists;
  }
  return Status::kOk;
}

Status GroupTable::check_bucket(const BucketMod& bucket, const GroupMod& mod) const {
  if (const Status status = validate_action_set(bucket.actions); status != Status::kOk) return status;
  if (bucket.id > kBucketIdMax) return Status::kBadBucket;
  if (mod.type != static_cast<unsigned>(GroupType::kSelect) && bucket.weight > 1) return Status::kBadWeight;
  if (bucket.watch_port != kAnyPort && !is_port_number(bucket.watch_port)) return Status::kBadWatch;
  if (bucket.watch_group != kGroupAny && !exists(bucket.watch_group)) return Status::kBadWatch;
  for (const ActionView action : Actions(bucket.actions)) {
    if (action.code() == Action::kMeter && !meters_.exists(action.meter())) return Status::kUnknownMeter;
  }
  Status status = Status::kOk;
  for_each_group(bucket.actions, [&](std::uint32_t chained) {
    if (status != Status::kOk) return;
    if (chained == mod.group || reaches(chained, mod.group)) {
      status = Status::kGroupLoop;
    } else if (!exists(chained)) {
      status = Status::kUnknownGroup;
    }
  });
  return status;
}

bool GroupTable::reaches(std::uint32_t from, std::uint32_t target) const {
  std::unordered_set<std::uint32_t> seen{from};
  std::vector<std::uint32_t> open{from};
  while (!open.empty()) {
    const auto at = live_.find(open.back());
    open.pop_back();
    if (at == live_.end()) continue;
    if (at->first == target) return true;
    for (const Bucket& bucket : at->second->buckets) {
      for_each_group(bucket.actions, [&](std::uint32_t id) {
        if (seen.insert(id).second) open.push_back(id);
      });
    }
  }
  return false;
}

Group* GroupTable::make(const GroupMod& mod, std::uint64_t now_ns, const Group* old, bool keep) {
  auto* const group = new Group;
  group->id = mod.group;
  group->type = static_cast<GroupType>(mod.type);
  group->selection = mod.selection;
  group->created_ns = old == nullptr ? now_ns : old->created_ns;
  const auto allocate = [&] {
    const CounterId counter = counters_.allocate();
    if (counter != kNoCounter) group->owned.push_back(counter);
    return counter;
  };
  group->counter = old == nullptr ? allocate() : old->counter;
  bool full = group->counter == kNoCounter;
  std::unordered_map<std::uint32_t, CounterId> kept;
  for (std::size_t i = 0; keep && old != nullptr && i < old->buckets.size(); ++i) {
    kept.emplace(old->buckets[i].id, old->buckets[i].counter);
  }
  for (const BucketMod& bucket : mod.buckets) {
    std::vector<std::uint8_t> ordered = ordered_as_set(bucket.actions);
    const bool changes = modifies(ordered);
    const auto stays = kept.find(bucket.id);
    const CounterId counter = stays == kept.end() ? allocate() : stays->second;
    full |= counter == kNoCounter;
    group->buckets.push_back({.id = bucket.id,
                              .weight = bucket.weight,
                              .identity = identity_of(bucket),
                              .watch_port = bucket.watch_port,
                              .watch_group = bucket.watch_group,
                              .modifies = changes,
                              .counter = counter,
                              .actions = {bucket.actions.begin(), bucket.actions.end()},
                              .ordered = std::move(ordered)});
  }
  if (full) {
    release(group);
    return nullptr;
  }
  if (group->type == GroupType::kSelect) {
    const std::vector<Share> shares = shares_of(*group);
    group->choice = old == nullptr ? make_choice(shares) : make_choice(shares, {shares_of(*old), old->choice});
  }
  return group;
}

void GroupTable::release(Group* group) {
  for (const CounterId counter : group->owned) counters_.release(counter);
  delete group;
}

void GroupTable::link(Group& fresh, Group* old) {
  const std::uint64_t version = versions_.working();
  fresh.added.store(version, std::memory_order_relaxed);
  groups_.link(fresh);
  live_[fresh.id] = &fresh;
  count_references(fresh, 1);
  versions_.on_rollback(undo_link, this, &fresh, old);
  if (old == nullptr) return;
  own_the_rest(*old, fresh);
  fresh.owned = counters_of(fresh);
  old->removed.store(version, std::memory_order_relaxed);
  count_references(*old, -1);
  versions_.after_publication(unlink, this, old);
}

Status GroupTable::erase(std::uint32_t id) {
  const auto at = live_.find(id);
  if (chained_.contains(id)) return Status::kChainedGroup;
  if (at != live_.end()) remove(*at->second);
  return Status::kOk;
}

void GroupTable::erase_all() {
  while (!live_.empty()) remove(*live_.begin()->second);
}

void GroupTable::remove(Group& group) {
  group.removed.store(versions_.working(), std::memory_order_relaxed);
  live_.erase(group.id);
  count_references(group, -1);
  versions_.on_rollback(undo_remove, this, &group);
  versions_.after_publication(unlink, this, &group);
}

void GroupTable::unlink(void* owner, void* group) {
  auto& self = *static_cast<GroupTable*>(owner);
  self.groups_.unlink(*static_cast<Group*>(group));
  self.epoch_.retire(free_group, owner, group);
}

void GroupTable::free_group(void* owner, void* group) {
  static_cast<GroupTable*>(owner)->release(static_cast<Group*>(group));
}

void GroupTable::undo_link(void* owner, void* fresh, void* old) {
  auto& self = *static_cast<GroupTable*>(owner);
  auto& gone = *static_cast<Group*>(fresh);
  gone.removed.store(0, std::memory_order_relaxed);
  self.live_.erase(gone.id);
  self.count_references(gone, -1);
  if (old != nullptr) {
    auto& back = *static_cast<Group*>(old);
    own_the_rest(gone, back);
    back.owned = counters_of(back);
    undo_remove(owner, old, nullptr);
  }
  unlink(owner, fresh);
}

void GroupTable::undo_remove(void* owner, void* group, void*) {
  auto& self = *static_cast<GroupTable*>(owner);
  auto& back = *static_cast<Group*>(group);
  back.removed.store(Versioned::kNever, std::memory_order_relaxed);
  self.live_[back.id] = &back;
  self.count_references(back, 1);
}

void GroupTable::count_references(const Group& group, int by) {
  std::unordered_set<std::uint32_t> ids;
  for (const Bucket& bucket : group.buckets) {
    for_each_group(bucket.actions, [&](std::uint32_t id) { ids.insert(id); });
  }
  for (std::uint32_t id : ids) {
    count_reference(id, by);
    const auto at = chained_.try_emplace(id, 0).first;
    at->second += static_cast<std::uint32_t>(by);
    if (at->second == 0) chained_.erase(at);
  }
}

void GroupTable::count_reference(std::uint32_t id, int by) {
  const auto at = references_.try_emplace(id, 0).first;
  at->second += static_cast<std::uint32_t>(by);
  if (at->second == 0) references_.erase(at);
}

std::uint32_t GroupTable::references(std::uint32_t id) const {
  const auto at = references_.find(id);
  return at == references_.end() ? 0 : at->second;
}

std::vector<std::uint32_t> GroupTable::ids() const {
  std::vector<std::uint32_t> ids;
  for (const auto& [id, group] : live_) ids.push_back(id);
  return ids;
}

bool GroupTable::read(std::uint32_t id, std::uint64_t now_ns, std::uint64_t& cursor,
                      const std::function<bool(const GroupView&)>& visit) const {
  const bool all = id == kGroupAll;
  for (auto at = live_.lower_bound(all ? static_cast<std::uint32_t>(cursor) : id); at != live_.end(); ++at) {
    if (!all && at->first != id) break;
    const Group& group = *at->second;
    const GroupView view{group, references(at->first), counters_.read(group.counter), now_ns - group.created_ns};
    if (visit(view)) continue;
    cursor = at->first;
    return false;
  }
  return true;
}

}  // namespace xvif
