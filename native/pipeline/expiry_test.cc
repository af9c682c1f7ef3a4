#include "pipeline/expiry.h"

#include <gtest/gtest.h>

#include <deque>

namespace xvif {
namespace {

class ExpiryTest : public testing::Test {
 protected:
  /// One flow for each moment.
  void add(std::size_t count, std::uint64_t first_ns) {
    for (std::size_t i = 0; i < count; ++i) {
      Flow& flow = flows_.emplace_back();
      flow.slot = static_cast<std::uint32_t>(flows_.size() - 1);
      expiry_.arm(flow, first_ns + i);
    }
  }
  void take(std::uint64_t now_ns, std::size_t limit) {
    looks_ = 0;
    expiry_.take(
        now_ns, limit,
        [this](std::uint8_t, std::uint32_t slot) {
          due_.push_back(slot);
          expiry_.disarm(flows_[slot]);
        },
        [this](std::uint8_t, std::uint32_t slot, std::uint32_t serial) {
          ++looks_;
          return flows_[slot].timer == serial;
        });
  }

  Expiry expiry_;
  std::deque<Flow> flows_;
  std::vector<std::uint32_t> due_;
  std::size_t looks_ = 0;
};

TEST_F(ExpiryTest, StaleEntriesGoInSlices) {
  add(100'000, 1'000'000);
  for (std::uint32_t slot = 0; slot < 100'000; ++slot) {
    if (slot % 4 != 0) expiry_.disarm(flows_[slot]);
  }
  int slices = 0;
  for (; expiry_.crowded(); ++slices) {
    take(0, 1000);
    ASSERT_LE(looks_, 1000u);
    ASSERT_LT(slices, 200);
  }
  EXPECT_EQ(slices, 100);
  EXPECT_EQ(expiry_.entries(), 25'000u);
  EXPECT_EQ(expiry_.next_ns(), 1'000'000u);
}

TEST_F(ExpiryTest, WhatComesAndGoesMeanwhileKeepsItsMoment) {
  add(10'000, 1'000'000);
  for (std::uint32_t slot = 0; slot < 6'000; ++slot) expiry_.disarm(flows_[slot]);
  take(0, 2'000);
  ASSERT_TRUE(expiry_.crowded());
  add(10, 10);  // slots from 10'000 on
  expiry_.disarm(flows_[9'999]);
  expiry_.disarm(flows_[10'001]);
  expiry_.arm(flows_[7'000], 15);
  EXPECT_EQ(expiry_.next_ns(), 10u);
  take(16, 2'000);
  EXPECT_EQ(due_, (std::vector<std::uint32_t>{10'000, 10'002, 10'003, 10'004, 10'005, 7'000, 10'006}));
  while (expiry_.crowded()) take(16, 2'000);
  due_.clear();
  take(~std::uint64_t{0} - 1, 100'000);
  ASSERT_EQ(due_.size(), 3u + 3'998u);
  EXPECT_EQ(due_[0], 10'007u);
  for (std::size_t i = 4; i < due_.size(); ++i) ASSERT_LT(due_[i - 1], due_[i]);
  EXPECT_EQ(expiry_.entries(), 0u);
}

}  // namespace
}  // namespace xvif
