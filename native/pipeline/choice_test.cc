#include "pipeline/choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace xvif {
namespace {

TEST(Choice, SharesAreExact) {
  const std::vector<Share> shares = {{1, 11}, {1, 11}, {100, 33}, {0, 44}, {50, 55}};
  const auto choice = make_choice(shares);
  std::array<double, 5> part{};
  for (std::uint16_t bucket : choice) part[bucket] += 1.0 / static_cast<double>(choice.size());
  for (std::size_t i = 0; i < shares.size(); ++i) EXPECT_NEAR(part[i], shares[i].weight / 152.0, 0.003) << i;
  EXPECT_TRUE(make_choice(std::vector<Share>{{0, 1}}).empty());
}

TEST(Choice, OneHeavyBucketAmongManyGetsItsPlaces) {
  std::vector<Share> shares;
  for (std::uint64_t i = 0; i < 1024; ++i) shares.push_back({1, i});
  shares[500].weight = 65535;
  const std::vector<std::uint16_t> choice = make_choice(shares);
  EXPECT_EQ(choice.size(), 65536u);
  EXPECT_EQ(choice, make_choice(shares));
  std::vector<std::size_t> places(shares.size());
  for (const std::uint16_t bucket : choice) ++places[bucket];
  EXPECT_EQ(places[500], 64528u);
  places[500] = 1;
  EXPECT_EQ(*std::ranges::max_element(places), 1u);
}

TEST(Choice, PlacesThatAreWantedNoMoreGo) {
  const std::vector<Share> few = {{1, 1}, {1, 2}, {2, 3}};
  const std::vector<Share> fine = {{1000, 1}, {1000, 2}, {1999, 3}};
  const auto before = make_choice(few);
  const auto between = make_choice(fine, {few, before});
  EXPECT_GE(between.size(), 4 * before.size());
  const auto after = make_choice(few, {fine, between});
  ASSERT_EQ(after.size(), before.size());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) moved += after[i] != before[i];
  EXPECT_LE(moved, before.size() / 100);
}

TEST(Choice, APlaceMoreOrLessDoesNotShrinkIt) {
  const std::vector<Share> few = {{1, 1}, {1, 2}};
  const std::vector<Share> more = {{1, 1}, {1, 2}, {1, 3}, {1, 4}};
  const auto before = make_choice(more);
  EXPECT_EQ(make_choice(few, {more, before}).size(), before.size());
}

}  // namespace
}  // namespace xvif
