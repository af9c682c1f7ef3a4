#include "pipeline/match_entries.h"

#include <algorithm>
#include <bit>

namespace xvif {
namespace {

static_assert(std::endian::native == std::endian::little);

/// Where a field's bits are in the words of a key: no field spans more than three.
struct FieldBits {
  std::array<std::uint8_t, 3> word{};
  std::array<std::uint64_t, 3> bits{};

  bool any(const FlowKey& key) const {
    return ((key.words[word[0]] & bits[0]) | (key.words[word[1]] & bits[1]) | (key.words[word[2]] & bits[2])) != 0;
  }
  bool all(const FlowKey& key) const {
    return ((~key.words[word[0]] & bits[0]) | (~key.words[word[1]] & bits[1]) | (~key.words[word[2]] & bits[2])) == 0;
  }
};

constexpr FieldBits bits_of(const FieldPlace& place) {
  FieldBits out;
  std::size_t parts = 0;
  for (std::size_t i = 0; i < place.bytes; ++i) {
    // The container is one number in network order, or all of it is the field's.
    const std::size_t low = (place.bytes - 1u - i) * 8u;
    const bool whole = place.bits == place.bytes * 8u;
    const std::uint64_t number = whole ? 0 : ((std::uint64_t{1} << place.bits) - 1) << place.shift;
    const std::uint64_t byte = whole ? 0xff : (number >> low) & 0xff;
    const std::size_t at = place.offset + i;
    if (i == 0 || out.word[parts] != at / 8) out.word[i == 0 ? 0 : ++parts] = static_cast<std::uint8_t>(at / 8);
    out.bits[parts] |= byte << (at % 8 * 8);
  }
  return out;
}

constexpr auto kFieldBits = [] {
  std::array<FieldBits, kMatchFields> out;
  for (std::size_t i = 0; i < kMatchFields; ++i) out[i] = bits_of(kFieldPlaces[i]);
  return out;
}();

/// The conditions of a field: a run of kPrerequisites.
struct Run {
  std::uint8_t first = 0;
  std::uint8_t count = 0;
};
constexpr auto kConditions = [] {
  std::array<Run, kMatchFields> out;
  for (std::size_t i = kPrerequisites.size(); i-- > 0;) {
    const auto of = static_cast<std::size_t>(kPrerequisites[i].of);
    if (of < kMatchFields) out[of] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(out[of].count + 1)};
  }
  return out;
}();
static_assert(std::is_sorted(kPrerequisites.begin(), kPrerequisites.end(),
                             [](const Prerequisite& a, const Prerequisite& b) { return a.of < b.of; }));

std::uint64_t number(const FlowKey& key, Field field) {
  std::array<std::uint8_t, 16> bytes{};
  get_field(key, field, bytes.data());
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(field_bytes(field), 8); ++i) value = value << 8 | bytes[i];
  return value;
}

bool is_set(const FlowKey& mask, Field field) { return kFieldBits[static_cast<std::size_t>(field)].any(mask); }

/// Every condition on the field holds in this match, so that it can be the one that was meant.
bool is_meant(const FlowKey& value, const FlowKey& mask, Field field) {
  const Run run = kConditions[static_cast<std::size_t>(field)];
  const std::span conditions = std::span(kPrerequisites).subspan(run.first, run.count);
  return std::all_of(conditions.begin(), conditions.end(), [&](const Prerequisite& condition) {
    if (condition.count == 0) return true;
    const bool typed = condition.needs == Field::kEthType && mask.packet_type() != 0;
    if (!typed && !is_set(mask, condition.needs)) return false;
    // The packet type says what the ethertype of an Ethernet header would.
    const std::uint64_t there = typed ? value.packet_type() & 0xffff : number(value, condition.needs);
    const auto end = condition.values.begin() + condition.count;
    return std::find(condition.values.begin(), end, there) != end;
  });
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
             .has_mask = !kFieldBits[place.id].all(mask),
             .value = {},
             .mask = {}};
    get_field(value, field, entry.value.data());
    get_field(mask, field, entry.mask.data());
  }
  return count;
}

}  // namespace xvif
