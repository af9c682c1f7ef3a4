// How select groups share flows out, and which of them move when buckets come, go and change their weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <numeric>

#include "packet/flow_hash.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

constexpr std::size_t kFlows = 200'000;
constexpr double kTolerance = 0.02;
constexpr std::uint32_t kGroup = 1;
using Weights = std::vector<std::uint16_t>;

/// Hashes of flows that differ in addresses or in ports.
const std::vector<std::uint32_t>& hashes() {
  static const std::vector<std::uint32_t> all = [] {
    std::vector<std::uint32_t> out;
    FlowKey key =
        kit::Match().with(Field::kEthType, 0x0800).with(Field::kIpProto, 17).with(Field::kIpv4Dst, 0x0a000002).value;
    for (std::size_t i = 0; i < kFlows; ++i) {
      std::array<std::uint8_t, 4> address{};
      std::array<std::uint8_t, 2> port{};
      store_be32(address.data(), static_cast<std::uint32_t>(0x0a010000 + i / 8));
      store_be16(port.data(), static_cast<std::uint16_t>(1024 + i % 8));
      set_field(key, Field::kIpv4Src, address.data());
      set_field(key, Field::kUdpSrc, port.data());
      out.push_back(flow_hash(key));
    }
    return out;
  }();
  return all;
}

class SelectSharesTest : public testing::Test {
 protected:
  BucketMod bucket(std::uint32_t id, std::uint16_t weight) {
    kept_.push_back(kit::output(id + 1));
    return {.id = id, .weight = weight, .actions = kept_.back()};
  }
  /// With ids from 1 on.
  Status set(ModCommand command, const Weights& weights) {
    std::vector<BucketMod> buckets;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      buckets.push_back(bucket(static_cast<std::uint32_t>(i + 1), weights[i]));
    }
    return switch_.group(command, kGroup, GroupType::kSelect, std::move(buckets));
  }
  Status insert(std::uint32_t id, std::uint16_t weight, std::uint32_t place = kLastBucket) {
    return switch_.group(ModCommand::kInsertBucket, kGroup, GroupType::kSelect, {bucket(id, weight)}, place);
  }
  Status remove(std::uint32_t id) {
    return switch_.group(ModCommand::kRemoveBucket, kGroup, GroupType::kSelect, {}, id);
  }
  /// Ids of the buckets that the flows take.
  std::vector<std::uint32_t> taken() const {
    const std::uint64_t version = switch_.pipeline.version();
    const Group& group = *switch_.pipeline.groups().find(kGroup, version);
    std::vector<std::uint32_t> ids;
    for (const std::uint32_t hash : hashes()) {
      ids.push_back(switch_.pipeline.groups().choose(group, hash, version)->id);
    }
    return ids;
  }
  void expect_shares() const {
    const Group& group = *switch_.pipeline.groups().find(kGroup, switch_.pipeline.version());
    const double total = std::accumulate(group.buckets.begin(), group.buckets.end(), 0.0,
                                         [](double sum, const Bucket& one) { return sum + one.weight; });
    const std::vector<std::uint32_t> ids = taken();
    for (const Bucket& one : group.buckets) {
      const double due = kFlows * one.weight / total;
      EXPECT_NEAR(static_cast<double>(std::count(ids.begin(), ids.end(), one.id)), due, due * kTolerance)
          << "bucket " << one.id << " of weight " << one.weight << " of " << total;
    }
  }
  static double moved(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& after) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < before.size(); ++i) count += before[i] != after[i];
    return static_cast<double>(count) / kFlows;
  }

  kit::Switch switch_;
  std::deque<kit::Bytes> kept_;
};

class SelectWeightsTest : public SelectSharesTest, public testing::WithParamInterface<Weights> {};

TEST_P(SelectWeightsTest, EachBucketGetsItsShare) {
  ASSERT_EQ(set(ModCommand::kAdd, GetParam()), Status::kOk);
  expect_shares();
}

/// What one bucket's coming takes from the others is what it gets, and what its going gives back.
TEST_P(SelectWeightsTest, OnlyTheFlowsOfABucketThatComesAndGoesMove) {
  ASSERT_EQ(set(ModCommand::kAdd, GetParam()), Status::kOk);
  const auto before = taken();
  const std::uint16_t weight = GetParam().front();
  constexpr std::uint32_t kNew = 100;
  ASSERT_EQ(insert(kNew, weight, 1), Status::kOk);
  const auto between = taken();
  expect_shares();
  const double share = static_cast<double>(std::count(between.begin(), between.end(), kNew)) / kFlows;
  EXPECT_LT(moved(before, between), share * 1.1 + 0.01);
  ASSERT_EQ(remove(kNew), Status::kOk);
  EXPECT_LT(moved(between, taken()), share * 1.1 + 0.01);
  EXPECT_LT(moved(before, taken()), 0.01);
  expect_shares();
}

TEST_P(SelectWeightsTest, TheFlowsOfABucketThatGoesFindItAgain) {
  ASSERT_EQ(set(ModCommand::kAdd, GetParam()), Status::kOk);
  const auto before = taken();
  ASSERT_EQ(remove(1), Status::kOk);
  const double share = static_cast<double>(std::count(before.begin(), before.end(), 1u)) / kFlows;
  EXPECT_LT(moved(before, taken()), share * 1.1 + 0.01);
  ASSERT_EQ(insert(1, GetParam().front(), kFirstBucket), Status::kOk);
  EXPECT_LT(moved(before, taken()), 0.01);
  expect_shares();
}

INSTANTIATE_TEST_SUITE_P(Vectors, SelectWeightsTest,
                         testing::Values(Weights{1, 1}, Weights{1, 3, 6}, Weights{1, 1, 1, 1}, Weights{7, 3, 5, 2, 11},
                                         Weights{100, 150, 300, 600}, Weights(16, 1), Weights(16, 5)));

TEST_F(SelectSharesTest, AWeightThatChangesMovesItsShareOnly) {
  ASSERT_EQ(set(ModCommand::kAdd, {100, 50, 50}), Status::kOk);
  const auto before = taken();
  ASSERT_EQ(set(ModCommand::kModify, {100, 50, 60}), Status::kOk);
  // 60 of 210 instead of 50 of 200.
  EXPECT_LT(moved(before, taken()), 60.0 / 210 - 50.0 / 200 + 0.01);
  expect_shares();
  ASSERT_EQ(set(ModCommand::kModify, {100, 50, 0}), Status::kOk);
  EXPECT_EQ(set(ModCommand::kModify, {100, 50, 50}), Status::kOk);
  EXPECT_LT(moved(before, taken()), 0.01);
}

TEST_F(SelectSharesTest, OfTwoBucketsThatAreAlikeOneCanGo) {
  const kit::Bytes same = kit::output(2);
  const std::vector<BucketMod> buckets = {{.id = 1, .weight = 1, .actions = same},
                                          {.id = 2, .weight = 1, .actions = same}};
  ASSERT_EQ(switch_.group(ModCommand::kAdd, kGroup, GroupType::kSelect, buckets), Status::kOk);
  expect_shares();
  ASSERT_EQ(remove(1), Status::kOk);
  const auto ids = taken();
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 2u), static_cast<std::ptrdiff_t>(kFlows));
}

}  // namespace
}  // namespace xvif
