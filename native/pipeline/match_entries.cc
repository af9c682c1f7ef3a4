#include "pipeline/match_entries.h"

#include <algorithm>

namespace xvif {
namespace {

std::uint64_t number(const FlowKey& key, Field field) {
  std::array<std::uint8_t, 16> bytes{};
  get_field(key, field, bytes.data());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(field_bytes(field), 8); ++i) value = value << 8 | bytes[i];
  return value;
}

bool is_set(const FlowKey& mask, Field field) {
  std::array<std::uint8_t, 16> bytes{};
  get_field(mask, field, bytes.data());
  return std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
}

/// Every condition on the field holds in this match, so that it can be the one that was meant.
bool is_meant(const FlowKey& value, const FlowKey& mask, Field field) {
  return std::all_of(kPrerequisites.begin(), kPrerequisites.end(), [&](const Prerequisite& condition) {
    if (condition.of != field || condition.count == 0) return true;
    const bool typed = condition.needs == Field::kEthType && mask.packet_type() != 0;
    if (!typed && !is_set(mask, condition.needs)) return false;
    // The packet type says what the ethertype of an Ethernet header would.
    const std::uint64_t there = typed ? value.packet_type() & 0xffff : number(value, condition.needs);
    const auto end = condition.values.begin() + condition.count;
    return std::find(condition.values.begin(), end, there) != end;
  });
}

bool is_whole(std::span<const std::uint8_t> mask, std::size_t bits) {
  const std::size_t top = bits % 8;
  const auto first = static_cast<std::uint8_t>(top == 0 ? 0xff : (1u << top) - 1);
  return mask[0] == first && std::all_of(mask.begin() + 1, mask.end(), [](std::uint8_t byte) { return byte == 0xff; });
}

}  // namespace

std::size_t match_entries(const FlowKey& value, const FlowKey& mask, std::span<MatchEntry, kMatchFields> out) {
  std::size_t count = 0;
  for (const FieldPlace& place : std::span(kFieldPlaces).first<kMatchFields>()) {
    const auto field = static_cast<Field>(place.id);
    if (!is_set(mask, field) || !is_meant(value, mask, field)) continue;
    MatchEntry& entry = out[count++];
    entry = {.field = field,
             .width = static_cast<std::uint8_t>(field_bytes(field)),
             .has_mask = false,
             .value = {},
             .mask = {}};
    get_field(value, field, entry.value.data());
    get_field(mask, field, entry.mask.data());
    entry.has_mask = !is_whole(std::span(entry.mask).first(entry.width), place.bits);
  }
  return count;
}

}  // namespace xvif
