#include "base/epoch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace xvif {
namespace {

void count(void* owner, void*) { ++*static_cast<int*>(owner); }

TEST(Epoch, RunsAtOnceWithoutReaders) {
  Epoch epoch;
  int ran = 0;
  epoch.retire(count, &ran, nullptr);
  EXPECT_EQ(epoch.reclaim(), 1u);
  EXPECT_EQ(ran, 1);
}

TEST(Epoch, WaitsForEachReader) {
  Epoch epoch;
  int ran = 0;
  epoch.online(0);
  epoch.online(3);
  epoch.retire(count, &ran, nullptr);
  EXPECT_EQ(epoch.reclaim(), 0u);
  epoch.quiescent(0);
  EXPECT_EQ(epoch.reclaim(), 0u);
  epoch.offline(3);
  EXPECT_EQ(epoch.reclaim(), 1u);
  epoch.offline(0);
}

TEST(Epoch, WhatIsRetiredWhileReclaimingWaitsForItsOwnGracePeriod) {
  struct Chain {
    Epoch epoch;
    int ran = 0;
  } chain;
  chain.epoch.online(0);
  const auto first = [](void* owner, void*) {
    auto& self = *static_cast<Chain*>(owner);
    self.epoch.retire([](void* again, void*) { ++static_cast<Chain*>(again)->ran; }, owner, nullptr);
  };
  chain.epoch.retire(first, &chain, nullptr);
  chain.epoch.reclaim();
  chain.epoch.quiescent(0);
  EXPECT_EQ(chain.epoch.reclaim(), 1u);
  EXPECT_EQ(chain.ran, 0);
  EXPECT_EQ(chain.epoch.reclaim(), 0u);
  chain.epoch.quiescent(0);
  EXPECT_EQ(chain.epoch.reclaim(), 1u);
  EXPECT_EQ(chain.ran, 1);
  chain.epoch.offline(0);
}

TEST(Epoch, DrainRunsEverything) {
  Epoch epoch;
  int ran = 0;
  for (int i = 0; i < 10; ++i) epoch.retire(count, &ran, nullptr);
  epoch.drain();
  EXPECT_EQ(ran, 10);
}

/// A reader that never holds freed memory: the address sanitizer and the thread sanitizer judge.
TEST(Epoch, ReadersNeverSeeFreedObjects) {
  Epoch epoch;
  std::atomic<int*> shared{new int(0)};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    std::int64_t sum = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      epoch.online(1);
      for (int i = 0; i < 100; ++i) {
        for (int j = 0; j < 10; ++j) sum += *shared.load(std::memory_order_acquire);
        epoch.quiescent(1);
      }
      epoch.offline(1);
    }
    EXPECT_GE(sum, 0);
  });
  for (int i = 1; i <= 20'000; ++i) {
    int* const old = shared.exchange(new int(i), std::memory_order_acq_rel);
    epoch.retire([](void*, void* gone) { delete static_cast<int*>(gone); }, nullptr, old);
    epoch.reclaim();
    if (i % 1000 == 0) epoch.synchronize();
  }
  stop = true;
  reader.join();
  delete shared.load();
}

}  // namespace
}  // namespace xvif
