#include "pipeline/balance.h"

#include <gtest/gtest.h>

#include <vector>

#include "packet/parse.h"
#include "pipeline/test_kit.h"

namespace xvif {
namespace {

constexpr std::uint16_t kMultipathAlgorithmsEnd = 4;

FlowKey key_of(const kit::Udp& udp) {
  kit::Bytes frame = udp.frame();
  Packet packet{};
  packet.data = frame.data();
  packet.linear = packet.size = static_cast<std::uint32_t>(frame.size());
  FlowKey key{};
  parse(packet, key);
  return key;
}

TEST(Balance, SymmetricHashesTakeBothDirectionsForOneFlow) {
  const FlowKey there = key_of({.source = 1, .destination = 2, .source_port = 3, .destination_port = 4});
  const FlowKey back = key_of(
      {.source = 2, .destination = 1, .source_port = 4, .destination_port = 3, .source_mac = 2, .destination_mac = 1});
  for (const HashFields fields : {HashFields::kSymmetricL4, HashFields::kSymmetricL3l4, HashFields::kSymmetricL3l4Udp,
                                  HashFields::kSymmetricL3}) {
    EXPECT_EQ(balance_hash(there, fields, 7), balance_hash(back, fields, 7)) << static_cast<int>(fields);
    EXPECT_NE(balance_hash(there, fields, 7), balance_hash(there, fields, 8)) << "basis";
  }
  EXPECT_NE(balance_hash(there, HashFields::kNwSrc, 0), balance_hash(back, HashFields::kNwSrc, 0));
  EXPECT_EQ(balance_hash(there, HashFields::kNwSrc, 0), balance_hash(back, HashFields::kNwDst, 0));
}

TEST(Balance, UdpPortsCountWhereTheyAreNamed) {
  const FlowKey one = key_of({.source_port = 3});
  const FlowKey other = key_of({.source_port = 5});
  EXPECT_EQ(balance_hash(one, HashFields::kSymmetricL3l4, 0), balance_hash(other, HashFields::kSymmetricL3l4, 0));
  EXPECT_NE(balance_hash(one, HashFields::kSymmetricL3l4Udp, 0), balance_hash(other, HashFields::kSymmetricL3l4Udp, 0));
}

TEST(Balance, EveryAlgorithmSpreadsEvenly) {
  constexpr std::uint32_t kLinks = 5;
  constexpr std::uint32_t kFlows = 20'000;
  for (std::uint16_t algorithm = 0; algorithm < kMultipathAlgorithmsEnd; ++algorithm) {
    std::vector<std::uint32_t> taken(kLinks);
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
      const std::uint32_t hash = balance_hash(key_of({.source = flow}), HashFields::kNwSrc, 0);
      const std::uint32_t link = choose_link(static_cast<MultipathAlgorithm>(algorithm), hash, kLinks, 16);
      ASSERT_LT(link, kLinks);
      ++taken[link];
    }
    for (const std::uint32_t flows : taken) EXPECT_NEAR(flows, kFlows / kLinks, kFlows / kLinks / 5) << algorithm;
  }
}

TEST(Balance, OneLinkIsAlwaysTaken) {
  for (std::uint16_t algorithm = 0; algorithm < kMultipathAlgorithmsEnd; ++algorithm) {
    for (const std::uint32_t hash : {0u, 1u, ~0u}) {
      EXPECT_EQ(choose_link(static_cast<MultipathAlgorithm>(algorithm), hash, 1, ~0u), 0u);
    }
  }
}

}  // namespace
}  // namespace xvif
