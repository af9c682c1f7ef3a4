// Credit of what a guest sends.
#include "netback/rate_credit.h"

#include <gtest/gtest.h>

#include <limits>

namespace xvif::netback {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kStart = 1'000'000'000;

/// Bytes of frames of `size` that go within `ns`, by a sender that asks again when it was told to.
std::uint64_t sent_within(RateCredit& credit, std::uint32_t size, std::uint64_t from, std::uint64_t ns) {
  std::uint64_t sent = 0;
  for (std::uint64_t now = from; now < from + ns;) {
    const std::uint64_t later = credit.take(size, now);
    if (later == 0) {
      sent += size;
    } else {
      EXPECT_GT(later, now);
      now = later;
    }
  }
  return sent;
}

TEST(RateCreditTest, NoLimitUntilThereIsOne) {
  RateCredit credit;
  EXPECT_FALSE(credit.limited());
  EXPECT_EQ(credit.take(65535, kStart), 0u);
}

TEST(RateCreditTest, KeepsTheRateWhateverTheFrames) {
  for (const std::uint32_t size : {60u, 1514u, 9014u, 65535u}) {
    for (const RateLimit limit : {RateLimit{62'500, 50'000}, RateLimit{625, 500}, RateLimit{10, 8}, RateLimit{1, 1}}) {
      SCOPED_TRACE(testing::Message() << size << " bytes, " << limit.bytes << " per " << limit.interval_us << " us");
      RateCredit credit;
      credit.configure(limit, kStart);
      const double allowed = static_cast<double>(limit.bytes) * 10e6 / limit.interval_us;
      const auto sent = static_cast<double>(sent_within(credit, size, kStart, 10'000 * kMs));
      EXPECT_GE(sent, allowed * 0.99);
      EXPECT_LE(sent, allowed + static_cast<double>(limit.bytes) + size);
    }
  }
}

TEST(RateCreditTest, SavesABurst) {
  RateCredit credit;
  credit.configure(RateLimit{1000, 50'000}, kStart);
  const std::uint64_t after = kStart + 3'600'000 * kMs;
  std::uint64_t sent = 0;
  while (credit.take(1000, after) == 0) sent += 1000;
  EXPECT_EQ(sent, 132'000u);  // kRateBurstMin, and the frame that it ends with
}

TEST(RateCreditTest, LimitBelowAFrame) {
  RateCredit credit;
  credit.configure(RateLimit{1, 1'000'000}, kStart);
  EXPECT_EQ(credit.take(1514, kStart), 0u);
  EXPECT_EQ(credit.take(1514, kStart + 1), kStart + std::uint64_t{1514} * 1'000 * kMs);
  EXPECT_EQ(credit.take(1514, kStart + std::uint64_t{1514} * 1'000 * kMs), 0u);
}

TEST(RateCreditTest, TheSameLimitAgainGivesNothing) {
  RateCredit credit;
  credit.configure(RateLimit{100'000, 1'000'000}, kStart);
  EXPECT_EQ(credit.take(65'535, kStart), 0u);
  EXPECT_EQ(credit.take(65'535, kStart), 0u);
  const std::uint32_t changes = credit.changes();
  credit.configure(RateLimit{100'000, 1'000'000}, kStart + kMs);
  EXPECT_EQ(credit.changes(), changes);
  EXPECT_NE(credit.take(60, kStart + kMs), 0u);
}

TEST(RateCreditTest, AnotherLimitCountsFromNow) {
  RateCredit credit;
  credit.configure(RateLimit{1, 0xffff'ffff}, kStart);
  EXPECT_EQ(credit.take(65'535, kStart), 0u);
  EXPECT_NE(credit.take(60, kStart), 0u);
  credit.configure(RateLimit{2000, 1000}, kStart + kMs);
  EXPECT_EQ(credit.take(1500, kStart + kMs), 0u);
  credit.configure(std::nullopt, kStart + kMs);
  EXPECT_FALSE(credit.limited());
  EXPECT_EQ(credit.take(65'535, kStart + kMs), 0u);
}

TEST(RateCreditTest, Extremes) {
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  for (const RateLimit limit : {RateLimit{kHuge, 1}, RateLimit{kHuge, 0xffff'ffff}, RateLimit{1, 0xffff'ffff}}) {
    RateCredit credit;
    credit.configure(limit, 0);
    EXPECT_EQ(credit.take(65'535, 0), 0u);
    EXPECT_EQ(credit.take(65'535, kHuge / 2), 0u);
  }
  RateCredit credit;
  credit.configure(RateLimit{0, 1}, 0);
  EXPECT_FALSE(credit.limited());
  credit.configure(RateLimit{1, 0}, 0);
  EXPECT_FALSE(credit.limited());
}

}  // namespace
}  // namespace xvif::netback
