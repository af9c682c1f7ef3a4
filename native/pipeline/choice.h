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

/// For flows whose bucket is dead: of the live ones that of the highest score takes it (weighted rendezvous hashing),
/// so they spread over the others by weight and come back later. Below 0 for a weight of 0.
double choice_score(const Share& share, std::uint32_t hash);

}  // namespace xvif
