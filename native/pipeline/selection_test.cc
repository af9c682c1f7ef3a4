#include "pipeline/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pipeline/test_kit.h"

namespace xvif {
namespace {

using kit::Udp;

class SelectionTest : public testing::Test {
 protected:
  Status set(ModCommand command, GroupType type, const Selection& selection) {
    std::vector<BucketMod> buckets;
    for (const kit::Bytes& actions : outputs_) buckets.push_back({.weight = 1, .actions = actions});
    const Status status = switch_.group(command, 1, type, std::move(buckets), kAllBuckets, selection);
    if (command == ModCommand::kAdd) switch_.flow(0, 1, kit::any(), kit::apply({kit::group(1)}));
    return status;
  }
  /// The ports that datagrams take which differ in the address they come from, or in their ports.
  std::set<std::size_t> ports_of(bool addresses) {
    std::set<std::size_t> ports;
    for (std::uint32_t i = 0; i < 64; ++i) {
      Udp udp;
      if (addresses) udp.source = 0x0a000000 + i * 0x101;
      if (!addresses) udp.source_port = static_cast<std::uint16_t>(1000 + i);
      switch_.receive(1, udp.frame());
      const auto sent = switch_.sent();
      EXPECT_EQ(std::count(sent.begin(), sent.end(), 1u), 1);
      ports.insert(static_cast<std::size_t>(std::find(sent.begin(), sent.end(), 1u) - sent.begin()));
    }
    return ports;
  }
  static SelectionField ipv4_src(std::uint32_t mask) {
    SelectionField field{.field = Field::kIpv4Src, .mask = {}};
    store_be32(field.mask.data() + 12, mask);
    return field;
  }

  kit::Switch switch_;
  std::vector<kit::Bytes> outputs_{kit::output(2), kit::output(3), kit::output(4)};
};

TEST_F(SelectionTest, OnlyTheFieldsThatAreNamedCount) {
  ASSERT_EQ(set(ModCommand::kAdd, GroupType::kSelect, {SelectionMethod::kHash, 0, {ipv4_src(~0u)}}), Status::kOk);
  EXPECT_EQ(ports_of(true).size(), 3u);
  EXPECT_EQ(ports_of(false).size(), 1u);
}

TEST_F(SelectionTest, OnlyTheBitsOfTheMaskCount) {
  ASSERT_EQ(set(ModCommand::kAdd, GroupType::kSelect, {SelectionMethod::kHash, 0, {ipv4_src(0xff000000)}}),
            Status::kOk);
  EXPECT_EQ(ports_of(true).size(), 1u);
}

TEST_F(SelectionTest, AFieldThatThePacketDoesNotHaveDoesNotCount) {
  SelectionField port{.field = Field::kTcpSrc, .mask = {}};
  store_be16(port.mask.data() + 14, 0xffff);
  ASSERT_EQ(set(ModCommand::kAdd, GroupType::kSelect, {SelectionMethod::kHash, 0, {port}}), Status::kOk);
  EXPECT_EQ(ports_of(false).size(), 1u);
}

TEST_F(SelectionTest, WithoutFieldsEverythingCounts) {
  for (const auto method : {SelectionMethod::kHash, SelectionMethod::kDpHash}) {
    ASSERT_EQ(set(ModCommand::kAdd, GroupType::kSelect, {method, 7, {}}), Status::kOk);
    EXPECT_EQ(ports_of(true).size(), 3u);
    EXPECT_EQ(ports_of(false).size(), 3u);
    set(ModCommand::kDelete, GroupType::kSelect, {});
  }
}

TEST_F(SelectionTest, TheParameterMakesOtherChoices) {
  FlowKey key{};
  const std::array<std::uint8_t, 2> ip{0x08, 0x00};
  set_field(key, Field::kEthType, ip.data());
  const auto hash = [&](std::uint64_t parameter) {
    return selection_hash({SelectionMethod::kHash, parameter, {ipv4_src(~0u)}}, key);
  };
  EXPECT_EQ(hash(1), hash(1));
  EXPECT_NE(hash(1), hash(2));
}

TEST_F(SelectionTest, IsForGroupsThatSelectAndStaysWhenBucketsComeAndGo) {
  EXPECT_EQ(set(ModCommand::kAdd, GroupType::kAll, {SelectionMethod::kHash, 0, {}}), Status::kBadGroupType);
  ASSERT_EQ(set(ModCommand::kAdd, GroupType::kSelect, {SelectionMethod::kHash, 9, {ipv4_src(~0u)}}), Status::kOk);
  ASSERT_EQ(switch_.group(ModCommand::kRemoveBucket, 1, GroupType::kAll, {}, kLastBucket), Status::kOk);
  const Selection& kept = switch_.pipeline.groups().find(1, switch_.pipeline.version())->selection;
  EXPECT_EQ(kept.method, SelectionMethod::kHash);
  EXPECT_EQ(kept.parameter, 9u);
  EXPECT_EQ(kept.fields.size(), 1u);
  EXPECT_EQ(ports_of(false).size(), 1u);
}

}  // namespace
}  // namespace xvif
