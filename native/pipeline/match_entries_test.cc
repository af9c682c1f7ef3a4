#include "pipeline/match_entries.h"

#include <gtest/gtest.h>

#include <vector>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

std::vector<Field> fields_of(const kit::Match& match) {
  std::array<MatchEntry, kMatchFields> entries;
  std::vector<Field> out;
  const std::size_t count = match_entries(match.value, match.mask, entries);
  for (std::size_t i = 0; i < count; ++i) out.push_back(entries[i].field);
  return out;
}
using Fields = std::vector<Field>;

kit::Match ip(std::uint16_t type, std::uint8_t proto) {
  return kit::Match().with(Field::kEthType, type).with(Field::kIpProto, proto);
}

TEST(MatchEntries, TellsSharedPlacesApart) {
  EXPECT_EQ(fields_of(ip(0x0800, 6).with(Field::kTcpDst, 80)),
            Fields({Field::kEthType, Field::kIpProto, Field::kTcpDst}));
  EXPECT_EQ(fields_of(ip(0x86dd, 17).with(Field::kUdpDst, 53)),
            Fields({Field::kEthType, Field::kIpProto, Field::kUdpDst}));
  EXPECT_EQ(fields_of(ip(0x0800, 1).with(Field::kIcmpv4Type, 8)),
            Fields({Field::kEthType, Field::kIpProto, Field::kIcmpv4Type}));
  EXPECT_EQ(fields_of(kit::Match().with(Field::kEthType, 0x0806).with(Field::kArpSpa, 5).with(Field::kArpOp, 1)),
            Fields({Field::kEthType, Field::kArpOp, Field::kArpSpa}));
  EXPECT_EQ(fields_of(ip(0x86dd, 58).with(Field::kIcmpv6Type, 135).with(Field::kIpv6NdSll, 9)),
            Fields({Field::kEthType, Field::kIpProto, Field::kIcmpv6Type, Field::kIpv6NdSll}));
  EXPECT_EQ(fields_of(kit::any()), Fields());
}

TEST(MatchEntries, GivesValuesAndMasks) {
  kit::Match match = kit::to_ipv4(0x0a010000, 0xffff0000).with(Field::kVlanVid, 0x1005).with(Field::kVlanPcp, 3);
  match.with(Field::kMetadata, 0xff00, 0xff00);
  std::array<MatchEntry, kMatchFields> entries;
  ASSERT_EQ(match_entries(match.value, match.mask, entries), 5u);
  EXPECT_EQ(entries[0].field, Field::kMetadata);
  EXPECT_TRUE(entries[0].has_mask);
  EXPECT_EQ(load_be64(entries[0].value.data()), 0xff00u);
  EXPECT_EQ(entries[2].field, Field::kVlanVid);
  EXPECT_EQ(entries[2].width, 2);
  EXPECT_FALSE(entries[2].has_mask);
  EXPECT_EQ(load_be16(entries[2].value.data()), 0x1005);
  EXPECT_EQ(entries[3].value[0], 3);
  EXPECT_EQ(entries[4].field, Field::kIpv4Dst);
  EXPECT_TRUE(entries[4].has_mask);
  EXPECT_EQ(load_be32(entries[4].value.data()), 0x0a010000u);
  EXPECT_EQ(load_be32(entries[4].mask.data()), 0xffff0000u);
}

TEST(MatchEntries, EveryFieldComesBack) {
  // Each field with the conditions it has; then building a key of the entries gives the same key.
  for (const FieldPlace& place : std::span(kFieldPlaces).first<kMatchFields>()) {
    const auto field = static_cast<Field>(place.id);
    kit::Match match;
    for (const Prerequisite& condition : kPrerequisites) {
      if (condition.of != field) continue;
      match.with(condition.needs, condition.count == 0 ? 1 : condition.values[0]);
    }
    match.with(field, 5);
    std::array<MatchEntry, kMatchFields> entries;
    const std::size_t count = match_entries(match.value, match.mask, entries);
    FlowKey value{}, mask{};
    bool found = false;
    for (std::size_t i = 0; i < count; ++i) {
      set_field(value, entries[i].field, entries[i].value.data());
      set_field(mask, entries[i].field, entries[i].mask.data());
      found |= entries[i].field == field;
    }
    EXPECT_TRUE(found) << place.name;
    EXPECT_EQ(value, match.value) << place.name;
    EXPECT_EQ(mask, match.mask) << place.name;
  }
}

}  // namespace
}  // namespace xvif
