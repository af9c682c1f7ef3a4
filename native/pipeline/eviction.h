// Which flow of a full table makes room for another (OpenFlow 1.4.1 section 6.5): of the largest group (Open vSwitch's
// Flow_Table, groups) the one of the lowest rank; of several groups of that size the lowest of all. A group is a heap
// of ranks, one per flow: the rank of a flow that has an idle timeout rises with its traffic and is looked at only
// when it comes up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

#include "pipeline/flow.h"

namespace xvif {

/// The lowest goes first. That of a flow never falls while it is enlisted.
struct EvictionRank {
  std::uint16_t importance;
  std::uint64_t expires_ns;  // ~0 never
  std::uint64_t created_ns;
  auto operator<=>(const EvictionRank&) const = default;
};

/// The flows of one table that evicts.
class Eviction {
 public:
  /// The flow in this slot; nullptr none.
  using At = std::function<Flow*(std::uint32_t slot)>;
  using RankOf = std::function<EvictionRank(const Flow&)>;
  /// Flows of one number are a group. That of a flow stays.
  using GroupOf = std::function<std::uint64_t(const Flow&)>;

  Eviction(At at, RankOf rank, GroupOf group) : at_(std::move(at)), rank_(std::move(rank)), group_(std::move(group)) {}

  /// Sets flow.eviction.
  void add(Flow& flow);
  /// Its entry goes when it comes up, or when too many are stale.
  void remove(Flow& flow);
  /// The flow that goes first, which stays; nullptr when there is none. After kEvictionLooks at ranks that have risen
  /// it is the first of those.
  Flow* lowest();
  std::size_t groups() const { return groups_.size(); }
  /// Frees one of them, of a table whose flows are all gone.
  void drop_group();
  EvictionRank rank(const Flow& flow) const { return rank_(flow); }

 private:
  struct Entry {
    EvictionRank rank;
    std::uint32_t slot;
    std::uint32_t serial;
  };
  /// Of one group in `order_`, the one to take from first.
  struct Place {
    std::size_t flows;
    EvictionRank lowest;  // no flow of the group is below it
    std::uint64_t group;
    bool operator<(const Place& other) const;
  };
  struct Group {
    std::vector<Entry> heap;  // with stale entries
    Place place;
  };
  /// A flow, its rank as it is now.
  struct Candidate {
    Flow* flow;
    EvictionRank rank;
  };

  static bool later(const Entry& a, const Entry& b) { return a.rank > b.rank; }
  /// The flow it is about; nullptr when it is stale.
  Flow* flow_of(const Entry& entry) const;
  /// The lowest of a group, which has flows. `looks` are used up.
  Candidate lowest_of(Group& group, unsigned& looks);
  void move(Group& group, const Place& place);
  void drop_stale(Group& group);

  const At at_;
  const RankOf rank_;
  const GroupOf group_;
  std::unordered_map<std::uint64_t, Group> groups_;  // none is empty
  std::set<Place> order_;
  std::uint32_t serial_ = 0;
};

}  // namespace xvif
