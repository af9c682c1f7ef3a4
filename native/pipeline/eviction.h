// Which flow of a full table makes room for another (OpenFlow 1.4.1 section 6.5). A heap of ranks, one per flow: the
// rank of a flow that has an idle timeout rises with its traffic and is looked at only when it comes up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <vector>

#include "pipeline/flow.h"

namespace xvif {

/// The lowest goes first.
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

  Eviction(At at, RankOf rank) : at_(std::move(at)), rank_(std::move(rank)) {}

  /// Sets flow.eviction.
  void add(Flow& flow);
  /// Its entry goes when it comes up, or when too many are stale.
  void remove(Flow& flow);
  /// The flow of the lowest rank, which stays; nullptr when there is none.
  Flow* lowest();
  EvictionRank rank(const Flow& flow) const { return rank_(flow); }

 private:
  struct Entry {
    EvictionRank rank;
    std::uint32_t slot;
    std::uint32_t serial;
  };
  static bool later(const Entry& a, const Entry& b) { return a.rank > b.rank; }
  /// The flow it is about; nullptr when it is stale.
  Flow* flow_of(const Entry& entry) const;
  void drop_stale();

  const At at_;
  const RankOf rank_;
  std::vector<Entry> heap_;
  std::size_t stale_ = 0;
  std::uint32_t serial_ = 0;
};

}  // namespace xvif
