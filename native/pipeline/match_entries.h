// From a flow key with its mask back to the fields it was made of. Fields that share a place are told apart by their
// prerequisites.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "packet/flow_key.h"

namespace xvif {

struct MatchEntry {
  Field field;
  std::uint8_t width;                  // bytes of value and of mask
  bool has_mask;                       // false: every bit of the field is set in the mask
  std::array<std::uint8_t, 16> value;  // network order, as the mask
  std::array<std::uint8_t, 16> mask;
};

/// Writes the entries in ascending field order; returns how many (at most kMatchFields).
std::size_t match_entries(const FlowKey& value, const FlowKey& mask, std::span<MatchEntry, kMatchFields> out);

}  // namespace xvif
