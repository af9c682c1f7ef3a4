// Which bucket of a select group a flow takes: a table from flow hash to bucket with exactly the shares the weights
// ask for, in which most places keep their bucket when others come and go.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xvif {

struct Share {
  std::uint16_t weight;    // 0: gets nothing
  std::uint64_t identity;  // of the bucket; equal ones get different places by their order
};

/// A power of two of bucket indexes; empty when no weight is above 0.
std::vector<std::uint16_t> make_choice(std::span<const Share> shares);

/// The table of a group that another takes the place of.
struct ChoiceBefore {
  std::span<const Share> shares;
  std::span<const std::uint16_t> choice;
};

/// The same, after another: a place changes its bucket only where that one goes or has too many, so that as few flows
/// move as the weights allow, also when the number of places changes; what comes back finds its places again. There are
/// fewer places than before only when those are many and a quarter is enough.
std::vector<std::uint16_t> make_choice(std::span<const Share> shares, const ChoiceBefore& before);

/// For flows whose bucket is dead: of the live ones that of the highest score takes it (weighted rendezvous hashing),
/// so they spread over the others by weight and come back later. Below 0 for a weight of 0.
double choice_score(const Share& share, std::uint32_t hash);

}  // namespace xvif
