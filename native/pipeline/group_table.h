// Groups (OpenFlow 1.3.5 sections 5.6 and 6.7, buckets one by one: 1.5.1 section 6.7). A group is replaced as a whole
// by each modification; counters of the group go on, those of a bucket as long as it stays.
//
// Threads: find(), choose() any data plane thread; all else control.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "pipeline/choice.h"
#include "pipeline/counters.h"
#include "pipeline/meter_table.h"
#include "pipeline/mods.h"
#include "pipeline/port_table.h"
#include "pipeline/versioned_map.h"
#include "pipeline/versions.h"

namespace xvif {

struct Bucket {
  std::uint32_t id;
  std::uint16_t weight;
  std::uint64_t identity;  // the same for the same watch and actions
  std::uint32_t watch_port;
  std::uint32_t watch_group;
  bool modifies;  // has actions other than output
  CounterId counter;
  std::vector<std::uint8_t> actions;  // as they came
  std::vector<std::uint8_t> ordered;  // as an action set is carried out
};

/// Immutable once published.
struct Group : Versioned {
  std::uint32_t id = 0;
  std::atomic<Group*> older{nullptr};  // control: rw, readers: ro
  GroupType type = GroupType::kAll;
  CounterId counter = kNoCounter;
  std::uint64_t created_ns = 0;
  Selection selection;
  std::vector<Bucket> buckets;
  std::vector<std::uint16_t> choice;  // select: bucket by hash; a power of two of entries, or none
  std::vector<CounterId> owned;       // control; go with it: the others went on to the group that replaced it
};

struct GroupView {
  const Group& group;
  std::uint32_t references;  // flows and groups that use it
  CountSum count;
  std::uint64_t duration_ns;
};

class GroupTable {
 public:
  GroupTable(Epoch& epoch, Versions& versions, Counters& counters, const PortTable& ports, const MeterTable& meters);
  ~GroupTable();
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  const Group* find(std::uint32_t id, std::uint64_t version) const { return groups_.find(id, version); }
  /// The bucket that a packet with this flow hash takes in a select or fast failover group; nullptr when none is
  /// live. A select group keeps flows where they are as long as their bucket lives.
  const Bucket* choose(const Group& group, std::uint32_t hash, std::uint64_t version) const;
  /// Of each bucket of a group, with as many looks in all as choose() has.
  std::vector<bool> liveness(const Group& group, std::uint64_t version) const;

  /// Within a batch. Anything but kOk changed nothing. kDelete is of one group and does not touch flows: see
  /// Pipeline::group_mod. kChainedGroup: a bucket of another group uses it.
  Status apply(const GroupMod& mod, std::uint64_t now_ns);
  void erase_all();

  bool exists(std::uint32_t id) const { return groups_.live(id) != nullptr; }
  /// A flow or a bucket began (+1) or ceased (-1) to use a group.
  void count_reference(std::uint32_t id, int by);
  std::uint32_t references(std::uint32_t id) const;
  /// Ids in ascending order.
  std::vector<std::uint32_t> ids() const;
  /// Visits group `id`, or all for kGroupAll by ascending id from `cursor` (an id), until the visitor returns false.
  /// True when there are no more.
  bool read(std::uint32_t id, std::uint64_t now_ns, std::uint64_t& cursor,
            const std::function<bool(const GroupView&)>& visit) const;
  CountSum count(const Bucket& bucket) const { return counters_.read(bucket.counter); }

 private:
  Status check(const GroupMod& mod) const;
  Status check_bucket(const BucketMod& bucket, const GroupMod& mod) const;
  bool reaches(std::uint32_t from, std::uint32_t target) const;
  Status erase(std::uint32_t id);
  Status insert_buckets(const GroupMod& mod, GroupMod& whole) const;
  Status remove_buckets(const GroupMod& mod, GroupMod& whole) const;
  /// `old`: what it replaces; its counters go on, and those of its buckets that `keep` names by id.
  Group* make(const GroupMod& mod, std::uint64_t now_ns, const Group* old, bool keep);
  void link(Group& fresh, Group* old);
  void remove(Group& group);
  void count_references(const Group& group, int by);
  /// `checks`: buckets that may still be looked at; none left: not live.
  bool is_live(const Bucket& bucket, std::uint64_t version, unsigned depth, unsigned& checks) const;
  bool is_live_group(std::uint32_t id, std::uint64_t version, unsigned depth, unsigned& checks) const;
  void release(Group* group);

  static void unlink(void* owner, void* group);
  static void free_group(void* owner, void* group);
  static void undo_link(void* owner, void* fresh, void* old);
  static void undo_remove(void* owner, void* group, void*);

  Epoch& epoch_;
  Versions& versions_;
  Counters& counters_;
  const PortTable& ports_;
  const MeterTable& meters_;
  VersionedMap<Group> groups_;
  std::map<std::uint32_t, Group*> live_;                         // control
  std::unordered_map<std::uint32_t, std::uint32_t> references_;  // control; from flows and groups
  std::unordered_map<std::uint32_t, std::uint32_t> chained_;     // control; of these, from groups
};

}  // namespace xvif
