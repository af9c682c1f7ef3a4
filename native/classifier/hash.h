// Keyed hash of masked key words: a sum of independently multiplied words, so words do not wait for each other.
// Not CRC32: it is linear, so keys that collide under one seed collide under every seed, and whoever can cause rules
// to be added (a guest, through a learning controller) could make them all share a bucket.
#pragma once

#include <array>
#include <cstdint>

#include "packet/flow_key.h"

namespace xvif {

struct HashKeys {
  explicit HashKeys(std::uint64_t seed);
  std::array<std::uint64_t, kFlowKeyWords> add;
  std::array<std::uint64_t, kFlowKeyWords> multiply;  // odd
};

/// splitmix64: spreads a seed or an id over 64 bits.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

__extension__ using Uint128 = unsigned __int128;

/// Contribution of one word at position `at` of the key.
inline std::uint64_t hash_word(const HashKeys& keys, std::size_t at, std::uint64_t word) {
  const Uint128 product = static_cast<Uint128>(word ^ keys.add[at]) * keys.multiply[at];
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace xvif
