#include "actions/subfield.h"

#include <algorithm>
#include <cstring>

#include "actions/modify.h"

namespace xvif {

namespace {

__extension__ using Uint128 = unsigned __int128;

Uint128 number_of(const WideNumber& value) {
  return static_cast<Uint128>(load_be64(value.data())) << 64 | load_be64(value.data() + 8);
}
WideNumber wide(Uint128 number) {
  WideNumber value;
  store_be64(value.data(), static_cast<std::uint64_t>(number >> 64));
  store_be64(value.data() + 8, static_cast<std::uint64_t>(number));
  return value;
}
Uint128 low_bits(unsigned bits) { return bits >= 128 ? ~Uint128{0} : (Uint128{1} << bits) - 1; }

Uint128 whole_field(const FlowKey& key, Field field) {
  WideNumber value{};
  get_field(key, field, value.data() + value.size() - field_bytes(field));
  return number_of(value);
}

struct PrerequisiteRange {
  std::uint8_t first;
  std::uint8_t end;
};

/// Where a field's rows stand in kPrerequisites.
constexpr std::array<PrerequisiteRange, kFields> kRanges = [] {
  std::array<PrerequisiteRange, kFields> ranges{};
  for (std::size_t i = 0; i < kPrerequisites.size(); ++i) {
    PrerequisiteRange& range = ranges[static_cast<std::size_t>(kPrerequisites[i].of)];
    if (range.end == 0) range.first = static_cast<std::uint8_t>(i);
    range.end = static_cast<std::uint8_t>(i + 1);
  }
  return ranges;
}();

}  // namespace

bool has_field(const FlowKey& key, Field field) {
  const PrerequisiteRange range = kRanges[static_cast<std::size_t>(field)];
  return std::all_of(kPrerequisites.begin() + range.first, kPrerequisites.begin() + range.end,
                     [&](const Prerequisite& condition) {
                       if (condition.count == 0) return true;
                       const auto there = static_cast<std::uint64_t>(whole_field(key, condition.needs));
                       const auto end = condition.values.begin() + condition.count;
                       return std::find(condition.values.begin(), end, there) != end;
                     });
}

bool read_subfield(const FlowKey& key, const Subfield& from, WideNumber& value) {
  if (!has_field(key, from.field)) return false;
  value = wide(whole_field(key, from.field) >> from.offset & low_bits(from.bits));
  return true;
}

void put_bits(FlowKey& key, const Subfield& to, const WideNumber& value) {
  const Uint128 mask = low_bits(to.bits) << to.offset;
  const WideNumber whole = wide((whole_field(key, to.field) & ~mask) | (number_of(value) << to.offset & mask));
  set_field(key, to.field, whole.data() + whole.size() - field_bytes(to.field));
}

PortNo port_of(const WideNumber& value) {
  constexpr std::uint32_t kReserved16 = 0xff00;
  constexpr std::uint32_t kReservedBits = 0xffff0000;
  const std::uint32_t number = load_be32(value.data() + 12);
  return PortNo{number >= kReserved16 && number <= 0xffff ? number | kReservedBits : number};
}

void write_subfield(Packet& packet, FlowKey& key, const Subfield& to, const WideNumber& value) {
  const Uint128 mask = low_bits(to.bits) << to.offset;
  const Uint128 number = (whole_field(key, to.field) & ~mask) | (number_of(value) << to.offset & mask);
  const WideNumber whole = wide(number);
  set_packet_field(packet, key, to.field, whole.data() + whole.size() - field_bytes(to.field));
}

}  // namespace xvif
