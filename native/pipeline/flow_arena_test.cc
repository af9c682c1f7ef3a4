#include "pipeline/flow_arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace xvif {
namespace {

struct Part {
  void* memory;
  std::size_t bytes;
  int content;
};

bool is_whole(const Part& part) {
  const auto* const first = static_cast<const std::uint8_t*>(part.memory);
  return std::all_of(first, first + part.bytes, [&](std::uint8_t byte) { return byte == part.content; });
}

TEST(FlowArena, PartsOverlapNobody) {
  FlowArena arena;
  std::mt19937 random(5);
  std::vector<Part> parts;
  for (int i = 0; i < 100'000; ++i) {
    if (parts.empty() || random() % 5 < 3) {
      const std::size_t bytes = 8 * (1 + random() % (FlowArena::kMax / 8));
      Part part{arena.take(bytes), bytes, static_cast<int>(random() % 256)};
      ASSERT_NE(part.memory, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(part.memory) % 8, 0u);
      std::memset(part.memory, part.content, bytes);
      parts.push_back(part);
    } else {
      std::swap(parts[random() % parts.size()], parts.back());
      ASSERT_TRUE(is_whole(parts.back()));
      arena.give_back(parts.back().memory, parts.back().bytes);
      parts.pop_back();
    }
  }
  for (const Part& part : parts) {
    ASSERT_TRUE(is_whole(part));
    arena.give_back(part.memory, part.bytes);
  }
}

TEST(FlowArena, WhatIsUsedNoMoreGoesBackToTheSystem) {
  FlowArena arena;
  std::size_t most = 0;
  for (int round = 0; round < 5; ++round) {
    std::vector<void*> parts;
    // Another size in each round: what was freed of the last one is of no use.
    const std::size_t bytes = 128 + 8 * static_cast<std::size_t>(round);
    for (int i = 0; i < 100'000; ++i) parts.push_back(arena.take(bytes));
    most = std::max(most, arena.bytes());
    std::shuffle(parts.begin(), parts.end(), std::mt19937(1));
    for (void* part : parts) arena.give_back(part, bytes);
    EXPECT_LE(arena.bytes(), std::size_t{2} * 1024 * 1024) << "the piece that is cut up";
  }
  EXPECT_LE(most, std::size_t{24} * 1024 * 1024);
}

}  // namespace
}  // namespace xvif
