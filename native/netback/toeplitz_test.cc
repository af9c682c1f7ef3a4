// The hash and the choice of a queue by it, on the values of Microsoft's verification suite for receive side scaling
// ("Verifying the RSS Hash Calculation").
#include "netback/toeplitz.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "netback/rss_vectors.h"
#include "netback/steering.h"
#include "packet/parse.h"
#include "xen/netif.h"

namespace xvif::netback {
namespace {

namespace type = xen::ctrl::hash_type;

std::vector<std::uint8_t> address(const char* text) {
  std::vector<std::uint8_t> bytes(std::strchr(text, ':') != nullptr ? 16 : 4);
  EXPECT_EQ(inet_pton(bytes.size() == 16 ? AF_INET6 : AF_INET, text, bytes.data()), 1) << text;
  return bytes;
}

std::vector<std::uint8_t> input(const RssVector& vector, bool ports) {
  std::vector<std::uint8_t> bytes = address(vector.source);
  const auto dest = address(vector.dest);
  bytes.insert(bytes.end(), dest.begin(), dest.end());
  if (!ports) return bytes;
  for (const std::uint16_t port : {vector.source_port, vector.dest_port}) {
    bytes.push_back(static_cast<std::uint8_t>(port >> 8));
    bytes.push_back(static_cast<std::uint8_t>(port));
  }
  return bytes;
}

/// Ethernet, IP, TCP or another protocol.
std::vector<std::uint8_t> frame(const RssVector& vector, std::uint8_t proto = 6, std::uint16_t fragment = 0) {
  const auto source = address(vector.source), dest = address(vector.dest);
  const bool v6 = source.size() == 16;
  std::vector<std::uint8_t> bytes(14 + (v6 ? 40 : 20) + 20);
  store_be16(&bytes[12], v6 ? 0x86dd : 0x0800);
  std::uint8_t* const l3 = &bytes[14];
  if (v6) {
    l3[0] = 0x60;
    store_be16(l3 + 4, 20);
    l3[6] = proto;
    std::copy(source.begin(), source.end(), l3 + 8);
    std::copy(dest.begin(), dest.end(), l3 + 24);
  } else {
    l3[0] = 0x45;
    store_be16(l3 + 2, 40);
    store_be16(l3 + 6, fragment);
    l3[9] = proto;
    std::copy(source.begin(), source.end(), l3 + 12);
    std::copy(dest.begin(), dest.end(), l3 + 16);
  }
  std::uint8_t* const l4 = &bytes[bytes.size() - 20];
  store_be16(l4, vector.source_port);
  store_be16(l4 + 2, vector.dest_port);
  l4[12] = 0x50;
  return bytes;
}

class SteeringTest : public ::testing::Test {
 protected:
  RxHash hash(const std::vector<std::uint8_t>& bytes) { return hash(bytes, static_cast<std::uint32_t>(bytes.size())); }
  /// With `linear` bytes in the packet's own buffer.
  RxHash hash(const std::vector<std::uint8_t>& bytes, std::uint32_t linear) {
    Packet* const packet = pool.take();
    std::copy(bytes.begin(), bytes.begin() + linear, packet->data);
    packet->size = static_cast<std::uint32_t>(bytes.size());
    packet->linear = linear;
    FlowKey key{};
    parse(*packet, key);
    const RxHash result = steering.hash(*packet);
    packet->release();
    return result;
  }
  PacketPool pool{4};
  Steering steering{std::make_shared<const Toeplitz>(kRssKey), type::kAll, 4};
};

TEST(Toeplitz, PublishedVectors) {
  const Toeplitz toeplitz(kRssKey);
  for (const RssVector& vector : kRssVectors) {
    EXPECT_EQ(toeplitz.hash(input(vector, false)), vector.hash) << vector.source;
    EXPECT_EQ(toeplitz.hash(input(vector, true)), vector.hash_tcp) << vector.source;
  }
}

TEST(Toeplitz, MissingKeyBytesAreZero) {
  const std::vector<std::uint8_t> ones(36, 0xff);
  EXPECT_EQ(Toeplitz({}).hash(ones), 0u);
  std::array<std::uint8_t, kHashKeyMax> padded{};
  std::copy_n(kRssKey.begin(), 7, padded.begin());
  EXPECT_EQ(Toeplitz(std::span(kRssKey).first(7)).hash(ones), Toeplitz(padded).hash(ones));
  EXPECT_NE(Toeplitz(padded).hash(ones), 0u);
}

TEST_F(SteeringTest, FramesHashAsPublished) {
  for (const RssVector& vector : kRssVectors) {
    const bool v6 = std::strchr(vector.source, ':') != nullptr;
    const RxHash tcp = hash(frame(vector));
    EXPECT_TRUE(tcp.known);
    EXPECT_EQ(tcp.value, vector.hash_tcp);
    EXPECT_EQ(tcp.type, v6 ? 3 : 1);
    const RxHash udp = hash(frame(vector, 17));
    EXPECT_EQ(udp.value, vector.hash);
    EXPECT_EQ(udp.type, v6 ? 2 : 0);
  }
}

TEST_F(SteeringTest, TheMostSpecificTypeThatIsAskedForWins) {
  steering.types = 1u << type::kIpv4;
  EXPECT_EQ(hash(frame(kRssVectors[0])).value, kRssVectors[0].hash);
  EXPECT_FALSE(hash(frame(kRssVectors[5])).known);
  steering.types = 1u << type::kIpv4Tcp;
  EXPECT_EQ(hash(frame(kRssVectors[0])).value, kRssVectors[0].hash_tcp);
  EXPECT_FALSE(hash(frame(kRssVectors[0], 17)).known);
}

TEST_F(SteeringTest, FragmentsHashByAddresses) {
  for (const std::uint16_t fragment : std::array<std::uint16_t, 3>{0x2000, 0x2005, 0x0005}) {
    const RxHash hashed = hash(frame(kRssVectors[0], 6, fragment));
    EXPECT_EQ(hashed.value, kRssVectors[0].hash) << fragment;
    EXPECT_EQ(hashed.type, type::kIpv4);
  }
  EXPECT_EQ(hash(frame(kRssVectors[0], 6, 0x4000)).value, kRssVectors[0].hash_tcp) << "do not fragment";
  std::vector<std::uint8_t> v6 = frame(kRssVectors[5]);
  const std::vector<std::uint8_t> header{6, 0, 0, 1, 0, 0, 0, 9};  // first fragment of several
  v6.insert(v6.begin() + 54, header.begin(), header.end());
  v6[20] = 44;
  store_be16(&v6[18], 28);
  EXPECT_EQ(hash(v6).value, kRssVectors[5].hash);
}

TEST_F(SteeringTest, OptionsAndTagsBeforeThePorts) {
  std::vector<std::uint8_t> options = frame(kRssVectors[0]);
  options[14] = 0x46;
  store_be16(&options[16], 44);
  options.insert(options.begin() + 34, {1, 1, 1, 0});
  EXPECT_EQ(hash(options).value, kRssVectors[0].hash_tcp);
  std::vector<std::uint8_t> tagged = frame(kRssVectors[1]);
  tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x00, 0x05});
  EXPECT_EQ(hash(tagged).value, kRssVectors[1].hash_tcp);
  std::vector<std::uint8_t> extension = frame(kRssVectors[6]);
  extension.insert(extension.begin() + 54, {6, 0, 1, 4, 0, 0, 0, 0});  // hop-by-hop, padding
  extension[20] = 0;
  store_be16(&extension[18], 28);
  EXPECT_EQ(hash(extension).value, kRssVectors[6].hash_tcp);
}

TEST_F(SteeringTest, WhatIsCutOrNotIpHasNone) {
  for (const RssVector& vector : kRssVectors) {
    const auto whole = frame(vector);
    for (std::uint32_t linear = 14; linear <= whole.size(); ++linear) {
      const RxHash hashed = hash(whole, linear);
      EXPECT_EQ(hashed.known, linear >= whole.size() - 20) << linear;
      if (!hashed.known) continue;
      EXPECT_EQ(hashed.value, linear < whole.size() ? vector.hash : vector.hash_tcp) << linear;
    }
  }
  std::vector<std::uint8_t> arp(60);
  store_be16(&arp[12], 0x0806);
  EXPECT_FALSE(hash(arp).known);
  EXPECT_EQ(steering.queue(hash(arp)), 0u);
}

TEST_F(SteeringTest, QueuesAreEvenAndTheSameForAFlow) {
  steering.entries = 128;
  for (std::size_t i = 0; i < 128; ++i) steering.mapping[i] = static_cast<std::uint8_t>(i % 4);
  RssVector vector = kRssVectors[0];
  for (const std::uint32_t entries : {128u, 0u}) {  // by mapping, and modulo the number of queues
    steering.entries = entries;
    std::array<int, 4> counts{};
    for (std::uint16_t port = 1; port <= 4000; ++port) {
      vector.source_port = port;
      const std::size_t queue = steering.queue(hash(frame(vector)));
      ASSERT_LT(queue, 4u);
      EXPECT_EQ(steering.queue(hash(frame(vector))), queue);
      ++counts[queue];
    }
    for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
  }
  steering.entries = 3;
  steering.mapping = {2, 2, 1};
  std::set<std::size_t> used;
  for (std::uint16_t port = 1; port <= 100; ++port) {
    vector.source_port = port;
    used.insert(steering.queue(hash(frame(vector))));
  }
  EXPECT_EQ(used, (std::set<std::size_t>{1, 2}));
}

TEST(PublishedSteering, FreesWhatNobodyUses) {
  PublishedSteering published;
  const auto toeplitz = std::make_shared<const Toeplitz>(kRssKey);
  const auto fresh = [&] { return std::make_unique<Steering>(Steering{toeplitz, type::kAll, 4}); };
  EXPECT_EQ(PublishedSteering::Use(published, 0).get(), nullptr);
  published.publish(fresh());
  {
    const PublishedSteering::Use use(published, 3);
    ASSERT_NE(use.get(), nullptr);
    for (int i = 0; i < 10; ++i) published.publish(fresh());
    EXPECT_EQ(published.retired(), 1u);
    EXPECT_EQ(use.get()->queues, 4u);
    EXPECT_NE(PublishedSteering::Use(published, 4).get(), use.get());
  }
  published.publish(nullptr);
  EXPECT_EQ(published.retired(), 0u);
  EXPECT_EQ(PublishedSteering::Use(published, 3).get(), nullptr);
}

}  // namespace
}  // namespace xvif::netback
