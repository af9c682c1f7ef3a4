// What a change of hashing costs; what the requests mean is tested on the whole ring (control_ring_test.cc).
#include "netback/hash_control.h"

#include <gtest/gtest.h>

#include <cstring>

#include "netback/rss_vectors.h"

namespace xvif::netback {
namespace {

namespace ctrl = xen::ctrl;

/// Every reference is the page that holds `bytes`.
class OnePage final : public xen::GrantTable {
 public:
  void* map(DomId, GrantRef) override { return nullptr; }
  void unmap(void*) override {}
  void copy(std::span<xen::CopySegment> segments) override {
    for (xen::CopySegment& segment : segments) {
      std::memcpy(segment.dest.local, bytes.data(), segment.length);
      segment.status = xen::GrantStatus::kOkay;
    }
  }
  std::array<std::uint8_t, 512> bytes{};
};

class HashControlTest : public ::testing::Test {
 protected:
  void ask(std::uint16_t type, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
    EXPECT_EQ(control.handle({0, type, {a, b, c}}, page).status, ctrl::kSuccess) << type;
  }
  void set_key(std::span<const std::uint8_t> key) {
    std::memcpy(page.bytes.data(), key.data(), key.size());
    ask(ctrl::kSetHashKey, 1, static_cast<std::uint32_t>(key.size()));
  }
  void turn_on() {
    ask(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz);
    ask(ctrl::kSetHashFlags, ctrl::hash_type::kAll);
    set_key(kRssKey);
  }
  /// What is published: the table, and a hash by it.
  std::pair<const Toeplitz*, std::uint32_t> published() {
    const PublishedSteering::Use use(steering, 0);
    if (use.get() == nullptr) return {nullptr, 0};
    const std::uint8_t input[] = {10, 0, 0, 1, 10, 0, 0, 2};
    return {use.get()->toeplitz.get(), use.get()->toeplitz->hash(input)};
  }

  OnePage page;
  PublishedSteering steering;
  HashControl control{DomId{1}, 4, steering};
};

TEST_F(HashControlTest, TheTableIsKeptWhileTheKeyStays) {
  turn_on();
  const auto first = published();
  ASSERT_NE(first.first, nullptr);
  ask(ctrl::kSetHashFlags, 1u << ctrl::hash_type::kIpv4);
  ask(ctrl::kSetHashMappingSize, 4);
  page.bytes = {};
  ask(ctrl::kSetHashMapping, 1, 4, 0);
  set_key(kRssKey);
  EXPECT_EQ(published(), first);
  ask(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmNone);
  EXPECT_EQ(published().first, nullptr);
  ask(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz);
  EXPECT_EQ(published(), first);
}

TEST_F(HashControlTest, AnotherKeyHashesOtherwise) {
  turn_on();
  const auto first = published();
  set_key(std::span(kRssKey).first(4));
  EXPECT_NE(published().second, first.second);
  set_key(kRssKey);
  EXPECT_EQ(published().second, first.second);
}

TEST_F(HashControlTest, AKeyThatIsSetBeforeTheAlgorithmCounts) {
  set_key(kRssKey);
  ask(ctrl::kSetHashAlgorithm, ctrl::kAlgorithmToeplitz);
  ask(ctrl::kSetHashFlags, ctrl::hash_type::kAll);
  EXPECT_EQ(published().second, Toeplitz(kRssKey).hash(std::vector<std::uint8_t>{10, 0, 0, 1, 10, 0, 0, 2}));
}

}  // namespace
}  // namespace xvif::netback
