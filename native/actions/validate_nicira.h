// The actions of Nicira's extensions. Parts of validate_actions().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/schema.gen.h"

namespace xvif {

/// Actions are multiples of this.
inline constexpr std::size_t kActionUnit = 8;

inline bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// `record` has exactly `length` bytes, and nothing in those after `used`.
inline Status action_shape(std::span<const std::uint8_t> record, std::size_t length, std::size_t used) {
  return record.size() == length && all_zero(record.subspan(used)) ? Status::kOk : Status::kMalformed;
}

/// `record`: a whole one with one of these codes. `nesting`: of the clone actions around it.
///   kBadField   a field that does not exist or cannot be written, bits that it does not have
///   kBadAction  arguments out of range, too much nesting, an action that the data plane does not carry out
Status validate_nicira(std::span<const std::uint8_t> record, unsigned nesting);

/// Holds a conjunction action.
bool is_conjunctive(std::span<const std::uint8_t> actions);

/// validate_actions() for a list within `nesting` clone actions.
Status validate_nested(std::span<const std::uint8_t> actions, unsigned nesting);

}  // namespace xvif
