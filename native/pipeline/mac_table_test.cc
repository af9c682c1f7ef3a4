#include "pipeline/mac_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>

namespace xvif {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t station(std::uint64_t number, std::uint16_t vlan = 0) {
  std::array<std::uint8_t, 8> mac;
  std::memcpy(mac.data(), &number, 8);
  return MacTable::station(vlan, mac.data());
}

TEST(MacTable, LearnsMovesAndForgets) {
  MacTable table(1);
  EXPECT_EQ(table.find(station(1), 0), std::nullopt);
  table.learn(station(1), PortNo{3}, 0);
  EXPECT_EQ(table.find(station(1), kSecond), PortNo{3});
  EXPECT_EQ(table.find(station(1, 7), kSecond), std::nullopt);
  const PortNo local{static_cast<std::uint32_t>(ReservedPort::kLocal)};
  table.learn(station(1), local, kSecond);
  EXPECT_EQ(table.find(station(1), kSecond), local);
  EXPECT_EQ(table.held(PortNo{3}), 0u);
  table.forget(local);
  EXPECT_EQ(table.find(station(1), kSecond), std::nullopt);
  EXPECT_EQ(table.held(local), 0u);
}

TEST(MacTable, StationsAge) {
  MacTable table(1);
  table.learn(station(1), PortNo{3}, kSecond);
  EXPECT_NE(table.find(station(1), MacTable::kAgeNs), std::nullopt);
  EXPECT_EQ(table.find(station(1), MacTable::kAgeNs + kSecond), std::nullopt);
  EXPECT_NE(table.find(station(1), 0), std::nullopt) << "a clock that is behind";
}

TEST(MacTable, FloodingPortEvictsOnlyItself) {
  MacTable table(1);
  std::mt19937_64 random(5);
  for (std::uint64_t i = 1; i <= 1000; ++i) table.learn(station(i), PortNo{static_cast<std::uint32_t>(1 + i % 50)}, 0);
  for (int i = 0; i < 300'000; ++i) table.learn(station(random() | 1ull << 40), PortNo{99}, kSecond);
  std::size_t kept = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) kept += table.find(station(i), kSecond).has_value();
  EXPECT_EQ(kept, 1000u);
  // And a newcomer still finds a place.
  for (std::uint64_t i = 2000; i < 2100; ++i) {
    table.learn(station(i), PortNo{60}, kSecond);
    EXPECT_EQ(table.find(station(i), kSecond), PortNo{60});
  }
  EXPECT_LE(table.held(PortNo{99}), kMacsMax);
}

}  // namespace
}  // namespace xvif
